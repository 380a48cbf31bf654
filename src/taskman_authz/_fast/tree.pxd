cimport cython

cdef class Expr:
    cdef public int id
    cdef public int position
    cdef public int height

@cython.final
cdef class Literal(Expr):
    cdef public object value

@cython.final
cdef class Ident(Expr):
    cdef public str name

@cython.final
cdef class Select(Expr):
    cdef public Expr operand
    cdef public str field
    cdef public bint test_only

@cython.final
cdef class Call(Expr):
    cdef public str function
    cdef public Expr target
    cdef public tuple args

@cython.final
cdef class ListExpr(Expr):
    cdef public tuple elements
    cdef public tuple optionals

@cython.final
cdef class Entry:
    cdef public int id
    cdef public int position
    cdef public object key
    cdef public Expr value
    cdef public bint optional

@cython.final
cdef class MapExpr(Expr):
    cdef public tuple entries

@cython.final
cdef class StructExpr(Expr):
    cdef public str type_name
    cdef public tuple entries

@cython.final
cdef class Comprehension(Expr):
    cdef public Expr iter_range
    cdef public str iter_var
    cdef public str iter_var2
    cdef public str accu_var
    cdef public Expr accu_init
    cdef public Expr loop_condition
    cdef public Expr loop_step
    cdef public Expr result
    cdef public str macro

@cython.locals(node=Literal)
cpdef Literal make_literal(int id, int position, object value)
@cython.locals(node=Ident)
cpdef Ident make_ident(int id, int position, str name)
@cython.locals(node=Select)
cpdef Select make_select(int id, int position, Expr operand, str field, bint test_only)
@cython.locals(node=Call)
cpdef Call make_call(int id, int position, str function, Expr target, tuple args)
@cython.locals(node=ListExpr)
cpdef ListExpr make_list(int id, int position, tuple elements, tuple optionals)
@cython.locals(node=MapExpr)
cpdef MapExpr make_map(int id, int position, tuple entries)
@cython.locals(node=StructExpr)
cpdef StructExpr make_struct(int id, int position, str name, tuple entries)
@cython.locals(node=Expr)
cpdef int highest(tuple nodes, int height) except -1
cpdef str qualified_name(Expr node)
