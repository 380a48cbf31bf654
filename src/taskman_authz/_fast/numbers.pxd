cimport cython
from .activation cimport Activation, extent
from .nodes cimport Node
from .times cimport Duration, Timestamp
from .times cimport add as add_times
from .times cimport subtract as subtract_times
from .values cimport Fault

cpdef object add(object left, object right, Py_ssize_t size=*)
@cython.locals(x=cython.longlong, y=cython.longlong, total=cython.longlong)
cpdef object _add_ints(object left, object right)
cpdef object _concatenate(object left, object right, Py_ssize_t size)
cpdef object subtract(object left, object right)
@cython.locals(x=cython.longlong, y=cython.longlong, total=cython.longlong)
cpdef object _subtract_ints(object left, object right)
@cython.locals(x=cython.longlong, y=cython.longlong)
cpdef object multiply(object left, object right)
cpdef object divide(object left, object right)
@cython.locals(x=cython.longlong, y=cython.longlong)
cpdef object modulo(object left, object right)
cpdef object negate(object value)

@cython.final
cdef class Add(Node):
    cdef readonly Node left
    cdef readonly Node right
    cdef readonly Py_ssize_t size

@cython.final
cdef class Arithmetic(Node):
    cdef readonly int operator
    cdef readonly Node left
    cdef readonly Node right

cdef object calculate(int operator, object left, object right)

cdef class WithInt(Node):
    cdef readonly int operator
    cdef readonly Node operand
    cdef readonly object constant
    cdef readonly long long number
    @cython.locals(x=cython.longlong)
    cdef object value(self, Activation activation)
