cimport cython
from .access cimport EntityValue
from .activation cimport Activation
from .decide cimport (
    Decider, Outcome, combine, entity_of, roles_of, with_selected
)
from .messages cimport Fields, Wanted, read_check
from .rules cimport View
from .times cimport timestamp_of

cdef Py_ssize_t SUBJECT, RESOURCE, ACTION, CONTEXT, COMPANY, NOW

@cython.final
cdef class Batch:
    cdef Activation activation
    cdef readonly str company
    cdef Decider decider
    cdef Fields former
    cdef str kind
    cdef Py_ssize_t longest
    cdef object make
    cdef readonly bint reads_now
    cdef tuple roles
    cdef list slots
    cdef View view
    cdef readonly Wanted wanted
    cpdef begin(self, object now)
    @cython.locals(fields=Fields)
    cpdef object answer(self, bytes data, int depth)
    @cython.locals(item=Fields, found=list)
    cpdef list decisions(self, list items)
    @cython.locals(outcome=Outcome)
    cpdef object decision(self, Fields item)
    @cython.locals(
        former=Fields, decider=Decider, view=View, resource=EntityValue, rows=tuple,
        nothing=Outcome
    )
    cdef Outcome outcome(self, Fields fields)
    @cython.locals(
        is_other=bint, asker=EntityValue, roles=tuple, verb=EntityValue,
        asked=EntityValue
    )
    cdef bint take(self, Fields fields, Fields former) except -1
    cdef void put(self, Py_ssize_t root, object value)

cdef bint is_named(EntityValue entity, Py_ssize_t longest)

cpdef Wanted wanted_by(list paths)
