cimport cython
from cpython.datetime cimport datetime as PlainDatetime
from .values cimport Fault

@cython.final
cdef class Timestamp:
    cdef readonly object ns

@cython.final
cdef class Duration:
    cdef readonly object ns

@cython.locals(made=Timestamp)
cdef Timestamp _timestamp(object ns)
cpdef object timestamp_of(object ns, str function)
@cython.locals(made=Duration)
cpdef object duration_of(object ns, str function)
cpdef object from_datetime(object value)
cpdef object from_timedelta(object value)
cdef object _nanoseconds(long long days, long long seconds, long long microseconds)
cpdef object add(object left, object right)
cpdef object subtract(object left, object right)
cpdef object since(object left, object right)
cdef object _between(Timestamp left, Timestamp right)
cdef object _longer(Duration left, Duration right)
cdef long long MARCH_OF_YEAR_0
@cython.locals(year=cython.longlong, month=cython.longlong, days=cython.longlong, seconds=cython.longlong)
cpdef Timestamp in_utc(PlainDatetime value)
