cimport cython
from .activation cimport Activation
from .rules cimport RuleRow

@cython.final
cdef class Outcome:
    cdef readonly bint allowed
    cdef readonly RuleRow row
    cdef readonly tuple reasons

@cython.locals(row=RuleRow, unmet=list, shared=dict)
cpdef Outcome decide(tuple rows, Activation activation, tuple nothing, Py_ssize_t limit)

cdef object _value(RuleRow row, Activation activation, dict shared)
