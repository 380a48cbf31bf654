cimport cython
from .access cimport adapt, find, missing, select
from .values cimport Fault, MixedMap

@cython.final
cdef class Unset:
    pass

cdef Unset _UNSET

cpdef object unset()

cdef object _MISSING

@cython.locals(text=str)
cpdef Py_ssize_t extent(object value) except -1

@cython.final
cdef class Path:
    cdef readonly Py_ssize_t root
    cdef readonly str name
    cdef readonly tuple members
    @cython.locals(members=dict, member=str)
    cdef object resolve(self, Activation activation)

@cython.final
cdef class Activation:
    cdef public dict variables
    cdef public object mapping
    cdef Py_ssize_t near
    cdef object holder
    cdef public object observer
    cdef public list roots
    cdef public list slots
    cdef public list registers
    cdef bint looping
    cdef public bint touched
    cdef public bint taken
    cdef public object other
    cdef public Py_ssize_t steps
    cdef readonly Py_ssize_t allowed
    cdef readonly str limit
    cdef readonly Fault stop
    cpdef read_from(self, object variables)
    cdef object root(self, Py_ssize_t number, str name)
    cpdef Fault spent(self, int position=*)
    cdef object take_other(self)
    cdef object ended(self, object value, int position)
    @cython.locals(number=Py_ssize_t, registers=list)
    cdef void again(self) noexcept
    @cython.locals(number=Py_ssize_t, slots=list)
    cdef void unset(self, list numbers)
    @cython.locals(number=Py_ssize_t, roots=list, slots=list)
    cdef void clear(self) noexcept
