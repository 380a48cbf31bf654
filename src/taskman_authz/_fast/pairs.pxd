cimport cython
from .access cimport adapt, entries, index, is_map
from .activation cimport Activation, extent
from .folds cimport Turning, elements, not_bool
from .nodes cimport Node, placed
from .values cimport Fault, MixedMap

cdef class Loop(Turning):
    cdef readonly Node range
    cdef readonly Py_ssize_t first
    cdef readonly Py_ssize_t second
    @cython.locals(members=dict)
    cdef void bind(self, list registers, object source, object number, object member) except *

cdef class ExistsPair(Loop):
    cdef readonly Node predicate
    cdef readonly bint universal
    cdef object value(self, Activation activation)

cdef class ExistsOnePair(Loop):
    cdef readonly Node predicate
    @cython.locals(found=Py_ssize_t)
    cdef object value(self, Activation activation)

cdef class Transform(Loop):
    cdef readonly Node predicate
    cdef readonly Node result
    cdef object transformed(self, Activation activation)

cdef class TransformList(Transform):
    @cython.locals(made=list)
    cdef object value(self, Activation activation)

cdef class TransformMap(Transform):
    @cython.locals(made=MapBuilder)
    cdef object value(self, Activation activation)

cdef class TransformEntries(Transform):
    @cython.locals(made=MapBuilder)
    cdef object value(self, Activation activation)

cdef class MapBuilder:
    cdef dict bools
    cdef dict others
    @cython.locals(members=dict)
    cdef object insert(self, object key, object value)
    cdef object insert_all(self, object value)
    cdef object made(self)

cpdef object not_a_map(object value)
@cython.locals(made=MapBuilder)
cpdef object insert_entry(object value, object key, object member)
@cython.locals(made=MapBuilder)
cpdef object insert_entries(object value, object other)
