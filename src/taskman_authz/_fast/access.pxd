cimport cython
from .times cimport Duration, Timestamp, from_datetime, from_timedelta, in_utc
from .values cimport ObjectValue, OptionalValue, some

@cython.final
cdef class EntityValue:
    cdef readonly str kind
    cdef readonly str id
    cdef readonly object attributes
    cdef readonly bint is_action

@cython.locals(number=cython.longlong, above=cython.longlong)
cpdef bint fits(object value) except -1

cpdef object adapt(object value)
cpdef object _adapt_other(object value)
cpdef bint is_map(object value) except -1
@cython.locals(members=dict)
cpdef object select(object value, str name)
cpdef object has(object value, str name)
@cython.locals(members=dict)
cpdef object _read(object value, str name)
cpdef object _read_entity(EntityValue value, str name)
cdef object _own_member(EntityValue value, str name)
cpdef object find(object value, object key)
cpdef object missing()
cpdef object index(object value, object key)
cpdef object _index_list(object value, object key)
@cython.locals(members=dict)
cpdef object select_optional(object value, str name)
cpdef object index_optional(object value, object key)
@cython.locals(optional=OptionalValue)
cdef object _inside(object value)
@cython.locals(optional=OptionalValue)
cdef object _adapt_optional(object value)
cdef object _present(object value)
cpdef object keys(object value)
cpdef object entries(object value)
cpdef bint is_whole(object value) except -1
