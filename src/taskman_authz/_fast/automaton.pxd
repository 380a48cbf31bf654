cimport cython
from .shapes cimport Matcher
from .values cimport Fault

cdef class Automaton(Matcher):
    cdef readonly bytes classes
    cdef readonly Py_ssize_t width
    cdef readonly bytes steps
    cdef readonly bytes ends
    cdef readonly Matcher beyond
    cdef readonly Py_ssize_t size
    @cython.locals(classes=bytes, steps=bytes, width=Py_ssize_t, state=Py_ssize_t,
                   character=Py_UCS4, code=Py_ssize_t)
    cpdef object match(self, str text)
