cdef class Expr:
    cdef public int id
    cdef public int position

cdef class Literal(Expr):
    cdef public object value

cdef class Ident(Expr):
    cdef public str name

cdef class Select(Expr):
    cdef public Expr operand
    cdef public str field
    cdef public bint test_only

cdef class Call(Expr):
    cdef public str function
    cdef public Expr target
    cdef public tuple args

cdef class ListExpr(Expr):
    cdef public tuple elements
    cdef public tuple optionals

cdef class Entry:
    cdef public int id
    cdef public int position
    cdef public object key
    cdef public Expr value
    cdef public bint optional

cdef class MapExpr(Expr):
    cdef public tuple entries

cdef class StructExpr(Expr):
    cdef public str type_name
    cdef public tuple entries

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
