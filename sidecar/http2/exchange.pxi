"""A call, and the headers that calls begin and end with. Part of `session.pyx`."""

cdef nghttp2_nv STATUS_200, CONTENT_TYPE, ACCEPTED, GZIP, GRPC_OK


cdef inline nghttp2_nv constant(const char *name, size_t namelen, const char *value, size_t valuelen):
    # INVARIANT: both are literals, so the library need not copy them.
    cdef nghttp2_nv made
    made.name, made.namelen = <uint8_t *> name, namelen
    made.value, made.valuelen = <uint8_t *> value, valuelen
    made.flags = 2 | 4  # NO_COPY_NAME, NO_COPY_VALUE
    return made


cdef inline nghttp2_nv copied(bytes name, bytes value):
    # INVARIANT: the library copies both before its function returns; the caller holds them until.
    cdef nghttp2_nv made
    made.name, made.namelen = <uint8_t *> PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name)
    made.value, made.valuelen = <uint8_t *> PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)
    made.flags = NGHTTP2_NV_FLAG_NO_INDEX
    return made


STATUS_200 = constant(b":status", 7, b"200", 3)
CONTENT_TYPE = constant(b"content-type", 12, b"application/grpc", 16)
ACCEPTED = constant(b"grpc-accept-encoding", 20, b"identity, deflate, gzip", 23)
GZIP = constant(b"grpc-encoding", 13, b"gzip", 4)
GRPC_OK = constant(b"grpc-status", 11, b"0", 1)


cdef inline double clock():
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec + now.tv_nsec * 1e-9


cdef bint is_grpc(const char *value, size_t size):
    """Whether a content type is gRPC's with protobuf."""
    if size < 16 or memcmp(value, b"application/grpc", 16):
        return False
    return size == 16 or value[16] == c";" or (
        size >= 22 and not memcmp(value + 16, b"+proto", 6) and (size == 22 or value[22] == c";")
    )


cdef double timeout(const char *value, size_t size):
    """The seconds of a `grpc-timeout`; negative where it is none."""
    cdef double number = 0
    cdef size_t i
    if size < 2 or size > 9:
        return -1
    for i in range(size - 1):
        if not c"0" <= value[i] <= c"9":
            return -1
        number = number * 10 + (value[i] - c"0")
    for unit, seconds in UNITS:
        if value[size - 1] == <char> unit:
            return number * <double> seconds
    return -1


UNITS = tuple(zip(b"mSunMH", (1e-3, 1.0, 1e-6, 1e-9, 60.0, 3600.0)))


@cython.final
cdef class Route:
    """What a path leads to: the method `name` of a face, which `served` answers to who passes the
    door; `way(connection, exchange, message)` where that is not at once."""

    cdef readonly object face, served, door, way
    cdef readonly str name

    def __init__(self, face, str name not None, served, door, way=None):
        self.face, self.name, self.served, self.door, self.way = face, name, served, door, way


@cython.final
@cython.freelist(256)
cdef class Exchange:
    """One call: what is known of its request, and what goes back. To the door and whoever is behind
    it, it is a `Call`."""

    cdef int32_t stream
    cdef readonly Route route
    cdef public str request_id  # a face may know a better one
    cdef readonly str traceparent, tracestate, authorization, min_revision
    cdef readonly bytes message, encoding, accepted
    cdef readonly bint is_compressed
    cdef readonly bint closed
    cdef public object on_taken  # called without arguments when what was sent last has gone
    cdef public object on_close  # called without arguments when it has ended, however
    cdef public object caller, span, seen  # as a Call has them
    cdef readonly object began
    cdef bytes path
    cdef bint is_post, is_grpc, admitted, whole, headed, over, settled
    cdef double timeout, asked, given, since
    cdef Py_ssize_t header_bytes
    cdef Py_ssize_t held  # bytes that are kept for it
    # The request: its prefix, then as much of the message as has come.
    cdef uint8_t prefix[PREFIX]
    cdef Py_ssize_t prefixed, length
    cdef bytearray gathered
    # The reply: a prefix and a message, how much of both was taken, and how it ends.
    cdef uint8_t out_prefix[PREFIX]
    cdef bytes out
    cdef Py_ssize_t taken
    cdef int code  # of a refusal; 0: none
    cdef bytes text
    cdef tuple more

    @property
    def face(self):
        return self.route.face.name

    @property
    def method(self):
        return self.route.name

    @property
    def left(self):
        return None if self.timeout < 0 else self.given

    def check_time(self):
        Call.check_time(self)

    def remaining(self):
        return Call.remaining(self)

    def ids(self):
        return Call.ids(self)

    cdef begin(self, caller):
        """Its request is whole: it is a call from here on."""
        self.caller, self.began = caller, perf_counter()
        if self.timeout >= 0:
            self.given = self.timeout - (clock() - self.asked)

    cdef void load(self, bytes message, int flag):
        cdef Py_ssize_t length = PyBytes_GET_SIZE(message)
        self.out_prefix[0] = flag
        for i in range(4):
            self.out_prefix[1 + i] = (length >> (24 - 8 * i)) & 255
        self.out, self.taken = message, 0

    cdef int receive(self, const uint8_t *data, size_t count, Py_ssize_t longest) except -1:
        """Take some of the body. Gives the number of bytes that are kept for it."""
        cdef Py_ssize_t size = <Py_ssize_t> count, part, had
        part = min(size, PREFIX - self.prefixed)
        if part:
            memcpy(&self.prefix[self.prefixed], data, part)
            self.prefixed += part
            if self.prefixed < PREFIX:
                return 0
            data, size = data + part, size - part
            self.length = (
                (<Py_ssize_t> self.prefix[1] << 24) | (<Py_ssize_t> self.prefix[2] << 16)
                | (<Py_ssize_t> self.prefix[3] << 8) | <Py_ssize_t> self.prefix[4]
            )
            self.is_compressed = self.prefix[0] == 1
            if self.prefix[0] > 1:
                self.refuse(INTERNAL, b"unknown flag of a message")
                return 0
            if self.length > longest:
                self.refuse(RESOURCE_EXHAUSTED, b"the message is longer than %d bytes" % longest)
                return 0
            if size == self.length:  # as nearly always: all of it is here
                self.message = PyBytes_FromStringAndSize(<char *> data, size)
                return size
            self.gathered = bytearray()
        if not size:
            return 0
        had = len(self.gathered) if self.gathered is not None else self.length
        if had + size > self.length:
            self.refuse(INTERNAL, b"expected one message")
            return 0
        # INVARIANT: the copy ends at the new size, and nobody else has the bytearray.
        PyByteArray_Resize(self.gathered, had + size)
        memcpy(PyByteArray_AS_STRING(self.gathered) + had, data, size)
        if had + size == self.length:
            self.message, self.gathered = bytes(self.gathered), None
        return size

    cdef void refuse(self, int code, bytes text):
        """Note why there is no answer; it is told when the library has returned."""
        if not self.code:
            self.code, self.text, self.gathered, self.message = code, text, None, None
