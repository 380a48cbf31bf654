cimport cython
from .nodes cimport Node

@cython.final
cdef class RuleRow:
    cdef readonly str id
    cdef readonly str company
    cdef readonly bint deny
    cdef readonly tuple actions
    cdef readonly tuple resources
    cdef readonly tuple roles
    cdef readonly Node condition
    cdef readonly Py_ssize_t number
    cdef readonly object decided
    cdef readonly object failed
    cdef readonly object unmet
    cdef readonly tuple key
    cdef readonly str text
    cdef readonly tuple required

cpdef tuple key_of(RuleRow row)
cpdef tuple canonical(object rows)
cpdef bint is_before(RuleRow row, RuleRow other) except -1
@cython.locals(low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t)
cpdef Py_ssize_t place_of(RuleRow row, list rows) except -1
@cython.locals(made=list, row=RuleRow, other=RuleRow, number=Py_ssize_t, count=Py_ssize_t)
cpdef tuple merged(tuple rows, list others)
@cython.locals(row=RuleRow)
cpdef list having(tuple rows, set texts)
