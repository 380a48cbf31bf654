cimport cython
from .activation cimport Activation
from .nodes cimport Attribute
from .required cimport Required
from .rows cimport RuleRow, place_of
from .values cimport Fault

cdef list _NONE

cdef Py_ssize_t PARTS

@cython.final
cdef class Table:
    cdef readonly list parts
    @cython.locals(part=dict)
    cpdef list get(self, str text)
    @cython.locals(part=dict, rows=list, number=Py_ssize_t)
    cpdef add(self, str text, RuleRow row)
    @cython.locals(made=Table, part=dict, rows=list, number=Py_ssize_t)
    cpdef Table changed(self, dict gone, dict new)

@cython.final
cdef class Group:
    cdef readonly bint deny
    cdef readonly tuple readers
    cdef readonly list rows
    cdef readonly tuple tables
    @cython.locals(best=list, found=list, table=Table, number=Py_ssize_t, reader=Attribute)
    cpdef list select(self, Activation activation)
    @cython.locals(table=Table, required=Required, number=Py_ssize_t)
    cpdef add(self, RuleRow row)
    @cython.locals(made=Group, table=Table, number=Py_ssize_t)
    cpdef Group changed(self, list gone, list new)

@cython.final
cdef class Cell:
    cdef readonly list rows
    cdef readonly list plain
    cdef readonly dict groups
    @cython.locals(place=Py_ssize_t)
    cpdef add(self, RuleRow row)
    @cython.locals(made=Cell, group=Group, lost=dict, found=dict)
    cpdef Cell changed(self, list gone, list new)
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
@cython.locals(made=list, row=RuleRow)
cdef list _changed(list rows, list gone, list new)
@cython.locals(found=dict, row=RuleRow)
cdef dict _by_text(list rows, Py_ssize_t number)
@cython.locals(found=dict, row=RuleRow)
cdef dict _by_mark(list rows)
