cimport cython
from .access cimport adapt, index, is_map, keys
from .activation cimport Activation
from .nodes cimport Node, placed
from .values cimport Fault

cpdef object elements(object value, int position)
cpdef Fault not_bool(str macro, object value, int position)

cdef class Exists(Node):
    cdef readonly Node range
    cdef readonly Py_ssize_t register
    cdef readonly Node predicate
    cdef readonly bint universal
    @cython.locals(registers=list)
    cdef object value(self, Activation activation)

cdef class ExistsOne(Node):
    cdef readonly Node range
    cdef readonly Py_ssize_t register
    cdef readonly Node predicate
    @cython.locals(found=Py_ssize_t)
    cdef object value(self, Activation activation)

cdef class Collect(Node):
    cdef readonly Node range
    cdef readonly Py_ssize_t register
    cdef readonly Node predicate
    cdef readonly Node result
    @cython.locals(made=list)
    cdef object value(self, Activation activation)

cdef class Fold(Node):
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
