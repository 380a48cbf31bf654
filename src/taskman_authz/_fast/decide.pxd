cimport cython
from .access cimport EntityValue
from .activation cimport Activation
from .rules cimport RuleIndex, RuleRow
from .times cimport Timestamp

@cython.final
cdef class Outcome:
    cdef readonly bint allowed
    cdef readonly RuleRow row
    cdef readonly tuple reasons

@cython.locals(row=RuleRow, unmet=list, shared=dict)
cpdef Outcome combine(tuple rows, Activation activation, Outcome nothing, Py_ssize_t limit)

cdef object _value(RuleRow row, Activation activation, dict shared)

@cython.final
cdef class Decider:
    cdef readonly RuleIndex index
    cdef readonly list paths
    cdef readonly Py_ssize_t registers
    cdef readonly Outcome nothing
    cdef readonly Py_ssize_t limit
    cdef list spare
    cpdef Outcome decide(self, object request)
    @cython.locals(activation=Activation)
    cpdef Outcome decide_by(self, tuple rows, object request)

cdef tuple _roots(object request)
