cimport cython
from .access cimport adapt, select
from .values cimport Fault

@cython.final
cdef class Unset:
    pass

@cython.final
cdef class Path:
    cdef readonly Py_ssize_t root
    cdef readonly str name
    cdef readonly tuple members
    cdef object resolve(self, Activation activation)

@cython.final
cdef class Activation:
    cdef public object variables
    cdef public tuple roots
    cdef public list paths
    cdef public list slots
    cdef public list registers
    cdef public list results
    cdef object variable(self, Py_ssize_t root, str name)
    @cython.locals(path=Path)
    cdef object read(self, Py_ssize_t slot)
    @cython.locals(number=Py_ssize_t)
    cdef void clear(self) noexcept
