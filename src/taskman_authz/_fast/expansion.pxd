from .tree cimport (
    Call, Comprehension, Entry, Expr, Ident, ListExpr, Literal, MapExpr, Select, highest,
    make_call, make_ident, make_list, make_literal, make_map, make_select,
)
from .lexis cimport Problem

cdef class MacroTable:
    cdef public dict entries
    cdef public frozenset names

cdef class Expansion:
    cdef public str name
    cdef public int position
    cdef public int next_id
    cdef public list problems
    cpdef int new_id(self)
