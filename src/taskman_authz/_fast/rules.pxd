cimport cython
from .cells cimport Cell, Group
from .rows cimport RuleRow, canonical, key_of
from .wildcards cimport PatternTable, split_resource

@cython.final
cdef class View:
    cdef readonly tuple rows
    cdef readonly tuple groups
    cdef readonly tuple tables
    @cython.locals(found=list, table=PatternTable)
    cpdef View of(self, str id, Py_ssize_t reasons)

@cython.final
cdef class RuleIndex:
    cdef readonly tuple rows
    cdef readonly dict tables
    cdef readonly Py_ssize_t reasons
    cdef readonly Py_ssize_t views
    cdef readonly Py_ssize_t references
    cdef readonly frozenset roles
    cdef dict memory
    cdef Py_ssize_t used
    @cython.locals(made=RuleIndex, rows=list, row=RuleRow, lost=dict, found=dict)
    cpdef RuleIndex changed(self, object gone, object new)
    cpdef tuple all_rows(self)
    @cython.locals(view=View, group=Group, rows=list)
    cpdef tuple candidates(self, str company, str action, str kind, str id, tuple roles)
    @cython.locals(view=View)
    cpdef View find(self, str company, str action, str kind, str id, tuple roles)
    @cython.locals(view=View)
    cpdef View view(self, str company, str action, str kind, tuple roles)
    cdef tuple _named(self, tuple roles)
    cpdef tuple remembered(self)
    @cython.locals(view=View, names=Py_ssize_t, held=Py_ssize_t)
    cdef View _prepared(self, str company, str action, str kind, tuple roles)
    cdef void _remember(self, tuple question, View view, Py_ssize_t size)
    @cython.locals(cells=list, tables=list, actions=PatternTable, kinds=PatternTable,
                   ids=PatternTable)
    cdef View _look_up(self, str company, str action, str kind, tuple roles)
    @cython.locals(actions=PatternTable, kinds=PatternTable, ids=PatternTable, cell=Cell)
    cdef _insert(self, RuleRow row)
    @cython.locals(actions=PatternTable, kinds=PatternTable, ids=PatternTable, cell=Cell)
    cdef _change(self, tuple place, list gone, list new)

@cython.locals(found=dict, row=RuleRow)
cdef dict _by_place(object rows)
