cimport cython

cdef class Problem:
    cdef public str code
    cdef public int position
    cdef public int end
    cdef public tuple details
    cdef public str stand_in

cpdef bint is_letter(Py_UCS4 char) noexcept
cpdef bint is_digit(Py_UCS4 char) noexcept
cpdef bint is_hex_digit(Py_UCS4 char) noexcept

@cython.locals(char=Py_UCS4)
cpdef Py_ssize_t word_end(str text, Py_ssize_t position) noexcept
@cython.locals(char=Py_UCS4)
cpdef Py_ssize_t blank_end(str text, Py_ssize_t position) noexcept
cpdef Py_ssize_t line_end(str text, Py_ssize_t position) noexcept

cpdef Py_ssize_t digits_end(str text, Py_ssize_t position) noexcept
@cython.locals(first=Py_ssize_t, end=Py_ssize_t)
cpdef Py_ssize_t exponent_end(str text, Py_ssize_t position) noexcept
@cython.locals(whole=Py_ssize_t, end=Py_ssize_t)
cpdef Py_ssize_t number_end(str text, Py_ssize_t start) noexcept
@cython.locals(last=Py_UCS4)
cpdef bint is_unsigned(str text, Py_ssize_t start) noexcept
@cython.locals(digits=str, base=int)
cpdef object number_value(str token, bint negative)
cpdef object int_value(str digits, int base)

@cython.locals(mark=Py_UCS4, char=Py_UCS4, triple=bint, position=Py_ssize_t, last=Py_ssize_t)
cpdef Py_ssize_t string_end(str text, Py_ssize_t quote, bint raw) noexcept
@cython.locals(
    mark=Py_UCS4, quote=Py_ssize_t, width=Py_ssize_t, raw=bint, triple=bint, is_bytes=bint, body=str
)
cpdef object string_value(str text, Py_ssize_t start, Py_ssize_t end, list problems)
cpdef list unescape(str text, Py_ssize_t start, Py_ssize_t end, bint is_bytes, list problems)
cpdef Py_ssize_t escape_end(str text, Py_ssize_t escape)
cpdef bytes escape_value(str token, Py_ssize_t position, bint is_bytes, list problems)

cpdef bint is_lexical(Py_UCS4 char)
@cython.locals(char=Py_UCS4, end=Py_ssize_t)
cpdef Py_ssize_t lexeme_end(str text, Py_ssize_t start) except -1
@cython.locals(char=Py_UCS4)
cpdef Py_ssize_t next_closer(
    str text, Py_ssize_t position, Py_UCS4 closer, bint commas
) except? -1
@cython.locals(char=Py_UCS4, quote=Py_ssize_t)
cpdef Py_ssize_t skipped_end(str text, Py_ssize_t start) except? -1
