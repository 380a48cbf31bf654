cdef class Timestamp:
    cdef readonly object ns

cdef class Duration:
    cdef readonly object ns
