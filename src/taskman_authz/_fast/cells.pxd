cimport cython
from .activation cimport Activation
from .nodes cimport Attribute
from .required cimport Required
from .rows cimport RuleRow, place_of
from .values cimport Fault

cdef list _NONE

@cython.final
cdef class Group:
    cdef readonly bint deny
    cdef readonly tuple readers
    cdef readonly list rows
    cdef readonly tuple tables
    @cython.locals(best=list, found=list, table=dict, number=Py_ssize_t, reader=Attribute)
    cpdef list select(self, Activation activation)
    @cython.locals(table=dict, required=Required, rows=list, number=Py_ssize_t)
    cpdef add(self, RuleRow row)
    @cython.locals(made=Group, table=dict, required=Required, rows=list, number=Py_ssize_t)
    cpdef Group changed(self, RuleRow row, bint adding)

@cython.final
cdef class Cell:
    cdef readonly list rows
    cdef readonly list plain
    cdef readonly dict groups
    @cython.locals(place=Py_ssize_t)
    cpdef add(self, RuleRow row)
    @cython.locals(made=Cell, group=Group)
    cpdef Cell changed(self, RuleRow row, bint adding)
    cpdef list told(self, Py_ssize_t count)
    @cython.locals(row=RuleRow, groups=dict)
    cdef _sort_in_all(self)
    cdef _sort_in(self, RuleRow row, dict groups)

@cython.locals(one=Required)
cdef tuple _mark(RuleRow row)
@cython.locals(one=Required)
cdef Group _group(RuleRow row)
@cython.locals(low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t, row=RuleRow)
cdef Py_ssize_t _first_allow(list rows) except -1
@cython.locals(made=list, place=Py_ssize_t, there=bint)
cdef list _changed(list rows, RuleRow row, bint adding)
