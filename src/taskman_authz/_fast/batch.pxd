cimport cython
from .access cimport EntityValue
from .activation cimport Activation, Path, unset
from .decide cimport Decider, Outcome, combine, roles_of, with_selected
from .messages cimport Fields, Names, Wanted, read_check
from .rules cimport View
from .times cimport timestamp_of

cdef dict _EMPTY
cdef Py_ssize_t SUBJECT, RESOURCE, ACTION, CONTEXT, COMPANY, NOW

@cython.final
cdef class Root:
    cdef list slots
    cdef readonly Names names
    cdef list places

@cython.final
cdef class Batch:
    cdef Activation activation
    cdef EntityValue asked
    cdef EntityValue asker
    cdef readonly str company
    cdef Decider decider
    cdef Fields former
    cdef Py_ssize_t longest
    cdef object make
    cdef readonly bint reads_now
    cdef tuple roles
    cdef list roots
    cdef EntityValue verb
    cdef View view
    cdef readonly Wanted wanted
    cpdef begin(self, object now)
    @cython.locals(fields=Fields, outcome=Outcome)
    cpdef Outcome answer(self, bytes data, int depth)
    @cython.locals(item=Fields, found=list)
    cpdef list decisions(self, list items)
    @cython.locals(outcome=Outcome)
    cpdef object decision(self, Fields item)
    @cython.locals(
        former=Fields, decider=Decider, view=View, rows=tuple, nothing=Outcome,
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
