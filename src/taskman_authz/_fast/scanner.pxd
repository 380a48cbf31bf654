cimport cython
from .lexis cimport (
    Problem, blank_end, is_lexical, is_unsigned, lexeme_end, next_closer, word_end
)
from .tree cimport Expr

cdef int NONE, OR, AND, RELATION, SUM, PRODUCT

cdef class Scanner:
    cdef public str text
    cdef public list problems
    cdef str operator
    cdef Py_ssize_t end
    cdef Py_ssize_t position
    cdef Py_ssize_t minus
    cdef Py_ssize_t issues
    cdef int precedence
    cdef int width
    cdef bint logical
    cdef bint optionals
    cdef bint quoted
    cdef bint lost

    cdef begin_text(self, str text, Py_ssize_t issues, bint optionals)
    @cython.locals(position=Py_ssize_t, char=Py_UCS4)
    cdef peek(self)
    cdef found(self, str operator, int precedence, int width)
    cdef peek_double(self, Py_UCS4 char)
    @cython.locals(end=Py_ssize_t, word=str)
    cdef peek_word(self)
    @cython.locals(text=str, start=Py_ssize_t, first=Py_UCS4)
    cdef bint take_minus(self) except? False
    @cython.locals(text=str, position=Py_ssize_t, start=Py_ssize_t)
    cdef bint message_follows(self) except? False
    cdef bint question(self) except? False
    cdef bint colon(self) except? False
    @cython.locals(text=str, start=Py_ssize_t, end=Py_ssize_t, name=str)
    cdef str selector(self)
    @cython.locals(text=str, start=Py_ssize_t, end=Py_ssize_t, name=str)
    cdef str quoted_selector(self)
    @cython.locals(char=Py_UCS4)
    cdef int begin(self, Py_UCS4 closer) except? -1
    @cython.locals(char=Py_UCS4, more=int)
    cdef int after(self, Expr item, Py_UCS4 closer, bint trailing) except? -1
    cdef problem(self, str code, Py_ssize_t start, Py_ssize_t end, tuple details, str stand_in)
    cdef Expr limit(self, str name, int bound, Py_ssize_t position)
    cdef no_operator(self, Py_ssize_t end, str meant)
    @cython.locals(start=Py_ssize_t, end=Py_ssize_t)
    cdef Expr unexpected(self, str stand_in)
    @cython.locals(found=Py_ssize_t)
    cdef int recover(self, Py_UCS4 closer, bint commas) except? -1
