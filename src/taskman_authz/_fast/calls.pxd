cimport cython
from . cimport native
from .access cimport is_map, keys
from .activation cimport Activation, extent
from .nodes cimport Constant, Node, Test, TextTest, answer, placed, value_of
from .relations cimport among, member_of
from .shapes cimport Matcher
from .values cimport Fault

@cython.final
cdef class Unary(Node):
    cdef readonly object function
    cdef readonly Node argument
    cdef readonly Py_ssize_t work

@cython.final
cdef class Binary(Node):
    cdef readonly object function
    cdef readonly Node first
    cdef readonly Node second
    cdef readonly Py_ssize_t work

cdef class Function(Node):
    cdef readonly object function
    cdef readonly tuple arguments
    cdef readonly Py_ssize_t work
    cdef readonly object cost
    cdef readonly bint metered
    @cython.locals(steps=Py_ssize_t)
    cdef object value(self, Activation activation)

cpdef object price_of(object cost, list values)
cpdef object size_of(object value)

cdef class StartsWith(Test):
    cdef readonly Node text
    cdef readonly Node prefix
    @cython.locals(whole=str)
    cdef int truth(self, Activation activation) except -1

cdef class EndsWith(Test):
    cdef readonly Node text
    cdef readonly Node suffix
    @cython.locals(whole=str)
    cdef int truth(self, Activation activation) except -1

cdef class Contains(TextTest):
    cdef readonly object function
    cdef readonly Node container
    cdef readonly Node member
    cdef readonly bint lists
    @cython.locals(text=str, found=int)
    cdef int truth(self, Activation activation) except -1

@cython.final
cdef class Size(Node):
    cdef readonly object function
    cdef readonly Node argument

@cython.final
cdef class Matches(Test):
    cdef readonly Node text
    cdef readonly Matcher matcher
    cdef readonly Py_ssize_t weight
