cimport cython
from . cimport native

cdef tuple ENTITY, NAMED, NOTHING
cdef int SUBJECT, ACTION, RESOURCE, CONTEXT, COMPANY
cdef int EVERY
cdef bytes PLACES

@cython.final
cdef class Writer:
    cdef Py_ssize_t depth
    cdef dict made
    cdef int parts

    @cython.locals(shared=int)
    cpdef bytes defaults(self, list requests)
    cpdef bytes check(self, object request)
    @cython.locals(parts=list, written=int)
    cdef bytes question(self, object request)
    cdef put(self, list parts, bytes tag, bytes data)
    @cython.locals(made=tuple, data=bytes)
    cdef properties(self, list parts, bytes tag, object attributes, tuple known)
    @cython.locals(parts=list, name=bytes, value=bytes, entry=bytes)
    cdef bytes struct(self, dict attributes, tuple known, Py_ssize_t level)
    @cython.locals(parts=list, data=bytes)
    cdef bytes value(self, object value, Py_ssize_t level)

cdef double LOW, HIGH

@cython.locals(found=int)
cdef int in_common(object one, object other) except -1
cdef bytes joined(object kind, str separator, object id)
@cython.locals(made=str)
cdef bytes text(object value)
@cython.locals(made=bytes)
cdef bytes size(Py_ssize_t length)
cpdef bytes framed(bytes data, bytes tag)
@cython.locals(told=list, equal=dict, same=dict, places=bytearray, place=Py_ssize_t)
cpdef tuple told_once(list answers)

cdef list _SHORT
cdef list _LONG
