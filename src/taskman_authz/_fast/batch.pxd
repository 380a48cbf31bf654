cimport cython
from . cimport native
from .access cimport EntityValue
from .activation cimport Activation, Path, unset
from .decide cimport Decider, Outcome, combine, roles_of, with_selected
from .messages cimport Fields, Names, Reader, Wanted, read_check
from .rules cimport View
from .sieve cimport Answer, Sieve, answer_of
from .times cimport timestamp_of

cdef dict _EMPTY
cdef Py_ssize_t SUBJECT, RESOURCE, ACTION, CONTEXT, COMPANY, NOW
cdef Py_ssize_t LOOK
cdef bytes NO_DEFAULTS

@cython.final
cdef class Answers:
    cdef readonly list decisions
    cdef readonly list companies
    cdef readonly bint is_distinct
    cdef readonly bint is_late
    @cython.locals(
        found=dict, decisions=dict, last=Py_ssize_t, times=Py_ssize_t, number=Py_ssize_t,
        company=str, key=object, of=dict
    )
    cpdef list counted(self)

@cython.final
cdef class Root:
    cdef list slots
    cdef readonly Names names
    cdef list places
    cdef readonly bint reads_id

@cython.final
cdef class Batch:
    cdef Activation activation
    cdef EntityValue asked
    cdef EntityValue asker
    cdef str company
    cdef Decider decider
    cdef int depth
    cdef Fields former
    cdef Py_ssize_t longest
    cdef object make
    cdef readonly bint reads_now
    cdef tuple roles
    cdef list roots
    cdef readonly Sieve sieve
    cdef EntityValue verb
    cdef View view
    cdef Wanted wanted
    cpdef begin(self, object now)
    @cython.locals(fields=Fields, found=object)
    cpdef Answer answer(self, bytes data)
    cpdef Answers answers(self, bytes data, Py_ssize_t most, object look)
    @cython.locals(
        found=Answers, of_defaults=bytes, known=dict, defaults=Fields, answer=Answer,
        start=Py_ssize_t, stop=Py_ssize_t, are_read=bint, missed=list, item=Fields
    )
    cdef Answers read(self, Reader reader, Py_ssize_t most, object look)
    @cython.locals(decided=Py_ssize_t, late=Py_ssize_t, item=Fields, answer=Answer)
    cdef bint complete(self, Answers found, list missed, bytes of_defaults, object look) except -1
    cdef bytes sifted_defaults(self, Reader reader)
    @cython.locals(view=View, root=Root, slot=Py_ssize_t)
    cdef bint depends_on_more(self) except -1
    @cython.locals(outcome=Outcome, answer=Answer)
    cdef Answer decide(self, Fields fields, bytes of_defaults, bytes sifted)
    @cython.locals(
        former=Fields, decider=Decider, view=View, rows=tuple, root=Root, nothing=Outcome,
        reasons=Py_ssize_t
    )
    cdef Outcome outcome(self, Fields fields)
    @cython.locals(is_other=bint, roles=tuple, kind=str)
    cdef bint take(self, Fields fields, Fields former) except -1
    cdef int put_context(self, Fields fields) except -1
    @cython.locals(end=Py_ssize_t, kind=str)
    cdef bint name(self, EntityValue entity, str text, str separator) except -1
    @cython.locals(values=list)
    cdef tuple roles_in(self, object properties)
    @cython.locals(root=Root)
    cdef int put(self, Py_ssize_t number, object value) except -1
    @cython.locals(root=Root, slots=list, places=list, each=Py_ssize_t, place=Py_ssize_t)
    cdef int spread(self, Py_ssize_t number, list values) except -1
    cdef int put_entity(self, Py_ssize_t number, EntityValue entity, object properties) except -1
