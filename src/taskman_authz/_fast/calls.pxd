cimport cython
from .activation cimport Activation
from .nodes cimport Node, placed
from .relations cimport member_of, text_in_list
from .shapes cimport Matcher
from .values cimport Fault

@cython.final
cdef class Unary(Node):
    cdef readonly object function
    cdef readonly Node argument

@cython.final
cdef class Binary(Node):
    cdef readonly object function
    cdef readonly Node first
    cdef readonly Node second

cdef class StartsWith(Node):
    cdef readonly Node text
    cdef readonly Node prefix
    @cython.locals(whole=str)
    cdef object value(self, Activation activation)

cdef class EndsWith(Node):
    cdef readonly Node text
    cdef readonly Node suffix
    @cython.locals(whole=str)
    cdef object value(self, Activation activation)

cdef class Contains(Node):
    cdef readonly object function
    cdef readonly Node container
    cdef readonly Node member
    cdef readonly bint lists
    @cython.locals(text=str)
    cdef object value(self, Activation activation)

@cython.final
cdef class Size(Node):
    cdef readonly object function
    cdef readonly Node argument

@cython.final
cdef class Matches(Node):
    cdef readonly Node text
    cdef readonly Matcher matcher
