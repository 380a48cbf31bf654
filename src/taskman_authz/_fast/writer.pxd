cimport cython

cdef tuple ENTITY, ACTION, NOTHING

@cython.final
cdef class Writer:
    cdef Py_ssize_t depth
    cdef dict made

    cpdef bytes check(self, object request)
    @cython.locals(parts=list)
    cdef bytes question(self, object request)
    cdef put(self, list parts, bytes tag, bytes data)
    @cython.locals(made=tuple, data=bytes)
    cdef properties(self, list parts, bytes tag, object attributes, tuple known)
    @cython.locals(parts=list, name=bytes, value=bytes, entry=bytes)
    cdef bytes struct(self, dict attributes, tuple known, Py_ssize_t level)
    @cython.locals(parts=list, data=bytes)
    cdef bytes value(self, object value, Py_ssize_t level)

cdef double LOW, HIGH

cdef bytes joined(object kind, str separator, object id)
@cython.locals(made=str)
cdef bytes text(object value)
@cython.locals(made=bytes)
cdef bytes size(Py_ssize_t length)
cpdef bytes item(bytes data)

cdef list _SHORT
cdef list _LONG
