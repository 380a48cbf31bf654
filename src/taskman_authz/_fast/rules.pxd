cimport cython
from .nodes cimport Node
from .wildcards cimport PatternTable

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

cpdef tuple canonical(object rows)

@cython.final
cdef class View:
    cdef readonly tuple rows
    cdef readonly tuple tables
    @cython.locals(table=PatternTable, found=list)
    cpdef tuple of(self, str id)

@cython.final
cdef class RuleIndex:
    cdef readonly tuple rows
    cdef readonly dict companies
    cdef readonly Py_ssize_t views
    cdef readonly Py_ssize_t references
    cdef readonly frozenset roles
    cdef dict memory
    cdef Py_ssize_t used
    cpdef tuple all_rows(self)
    @cython.locals(view=View)
    cpdef tuple candidates(self, str company, str action, str kind, str id, tuple roles)
    @cython.locals(known=list)
    cdef tuple _named(self, tuple roles)
    cpdef tuple remembered(self)
    @cython.locals(view=View, names=Py_ssize_t)
    cdef View _prepared(self, str company, str action, str kind, tuple roles)
    cdef void _remember(self, tuple question, View view, Py_ssize_t size)
    @cython.locals(rows=list, tables=list, actions=PatternTable, kinds=PatternTable,
                   ids=PatternTable, by_role=dict)
    cdef View _look_up(self, str company, str action, str kind, tuple roles)
    @cython.locals(actions=PatternTable, kinds=PatternTable, ids=PatternTable, by_role=dict)
    cdef void _insert(self, RuleRow row)
