cimport cython
from .activation cimport Activation
from .nodes cimport Node, placed
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

@cython.final
cdef class StartsWith(Node):
    cdef readonly Node text
    cdef readonly Node prefix

@cython.final
cdef class EndsWith(Node):
    cdef readonly Node text
    cdef readonly Node suffix

@cython.final
cdef class Contains(Node):
    cdef readonly object function
    cdef readonly Node container
    cdef readonly Node member

@cython.final
cdef class Size(Node):
    cdef readonly object function
    cdef readonly Node argument

@cython.final
cdef class Matches(Node):
    cdef readonly Node text
    cdef readonly Matcher matcher
