cimport cython
from .access cimport adapt, index, is_map, keys
from .activation cimport Activation, extent
from .nodes cimport Node, placed
from .values cimport Fault

cpdef object elements(object value, Activation activation, int position)
cpdef Fault not_bool(str macro, object value, int position)

cdef class Turning(Node):
    cdef public Py_ssize_t weight

cdef class Exists(Turning):
    cdef readonly Node range
    cdef readonly Py_ssize_t register
    cdef readonly Node predicate
    cdef readonly bint universal
    @cython.locals(registers=list, found=int)
    cdef object value(self, Activation activation)

cdef class ExistsOne(Turning):
    cdef readonly Node range
    cdef readonly Py_ssize_t register
    cdef readonly Node predicate
    @cython.locals(found=Py_ssize_t, truth=int)
    cdef object value(self, Activation activation)

cdef class Collect(Turning):
    cdef readonly Node range
    cdef readonly Py_ssize_t register
    cdef readonly Node predicate
    cdef readonly Node result
    @cython.locals(made=list, chosen=int)
    cdef object value(self, Activation activation)

cdef class Fold(Turning):
    cdef readonly Node range
    cdef readonly Py_ssize_t register
    cdef readonly Py_ssize_t second
    cdef readonly Py_ssize_t accumulator
    cdef readonly Node initial
    cdef readonly Node condition
    cdef readonly Node step
    cdef readonly Node result
    @cython.locals(registers=list)
    cdef object value(self, Activation activation)
    cdef void bind(self, list registers, object source, object number, object member) except *
