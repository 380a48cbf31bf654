cimport cython
from .expansion cimport Expansion, MacroTable
from .lexis cimport Problem, blank_end, is_lexical, number_end, number_value, string_end
from .lexis cimport string_value, word_end
from .scanner cimport Scanner
from .tree cimport (
    Call, Entry, Expr, Ident, Literal, Select, make_call, make_ident, make_list, make_literal,
    make_map, make_select, make_struct, qualified_name,
)

cdef int WHOLE, OR

cdef class ParseResult:
    cdef readonly Expr expr
    cdef readonly dict macro_calls
    cdef readonly list problems

cpdef Py_ssize_t first_surrogate(str text) except? -1
@cython.locals(parser=Parser, expr=Expr, problems=list)
cpdef ParseResult parse(
    str text, MacroTable macros, Py_ssize_t length, int depth, int nodes, Py_ssize_t issues,
    bint optionals=*,
)

@cython.final
cdef class Parser(Scanner):
    cdef MacroTable macros
    cdef dict macro_calls
    cdef int depth
    cdef int level
    cdef int next_id
    cdef int nodes

    cdef begin_tree(self, MacroTable macros, int depth, int nodes)
    cdef Expr whole(self)
    @cython.locals(left=Expr)
    cdef Expr binary(self, int minimum)
    @cython.locals(position=Py_ssize_t, operator=str, precedence=int, id=int, right=Expr)
    cdef Expr join(self, Expr left)
    @cython.locals(
        position=Py_ssize_t, operator=str, precedence=int, id=int, right=Expr, terms=list,
        ids=list, positions=list,
    )
    cdef Expr chain(self, Expr left)
    @cython.locals(middle=Py_ssize_t, left=Expr, right=Expr)
    cdef Expr balanced(
        self, str operator, list terms, list ids, list positions, Py_ssize_t low, Py_ssize_t high
    )
    @cython.locals(last=Expr, chosen=Expr)
    cdef Expr conditional(self, Expr left)
    @cython.locals(text=str, char=Py_UCS4, sign=Call, first_id=int, named=bint, node=Expr)
    cdef Expr operand(self)
    @cython.locals(text=str, start=Py_ssize_t, count=int)
    cdef Call signs(self, Py_UCS4 char)
    @cython.locals(text=str, start=Py_ssize_t, end=Py_ssize_t, char=Py_UCS4, name=str)
    cdef Expr word(self)
    cdef Ident ident(self, Py_ssize_t start, str name)
    @cython.locals(text=str, start=Py_ssize_t, place=Py_ssize_t, end=Py_ssize_t, name=str)
    cdef Expr absolute(self)
    @cython.locals(
        text=str, start=Py_ssize_t, position=Py_ssize_t, end=Py_ssize_t, rest=Py_ssize_t, token=str
    )
    cdef Expr literal(self, Py_UCS4 char)
    @cython.locals(text=str, raw=bint, end=Py_ssize_t)
    cdef Expr string(self, Py_ssize_t start, Py_ssize_t quote)
    @cython.locals(text=str, start=Py_ssize_t)
    cdef Expr stray(self)
    @cython.locals(start=Py_ssize_t, inner=Expr)
    cdef Expr group(self)
    @cython.locals(start=Py_ssize_t, id=int, elements=list, optionals=list, more=int, element=Expr)
    cdef Expr list_literal(self)
    @cython.locals(
        start=Py_ssize_t, place=Py_ssize_t, id=int, entry_id=int, entries=list, more=int,
        optional=bint, key=Expr, value=Expr,
    )
    cdef Expr map_literal(self)
    @cython.locals(
        place=Py_ssize_t, id=int, entry_id=int, entries=list, more=int, optional=bint, field=str,
        value=Expr,
    )
    cdef Expr message(self, Expr head)
    @cython.locals(text=str, optional=bint, place=Py_ssize_t, field=str, name=Literal)
    cdef Expr member(self, Expr operand)
    @cython.locals(place=Py_ssize_t, id=int, function=str, key=Expr)
    cdef Expr index(self, Expr operand)
    @cython.locals(
        id=int, problems=Py_ssize_t, args=list, more=int, arg=Expr, target=Expr, name=str,
        written=Call,
    )
    cdef Expr call(self, Expr head)
    @cython.locals(expansion=Expansion, expanded=Expr)
    cdef Expr expand(self, Call written)
    cdef int new_id(self)
    cdef Expr grown(self, Expr node)
