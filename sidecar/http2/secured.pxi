"""TLS of a connection that is read and written here: the standard library's, between two buffers in
memory. Part of `session.pyx`.
"""

cdef enum:
    RECORD = 16384  # bytes of a record at most (RFC 8446, section 5.1)


@cython.final
cdef class Secured:
    """What stands between a line and its connection. What opens and seals raises `ssl.SSLError`."""

    cdef object tls, incoming, outgoing  # an SSLObject, its MemoryBIOs
    cdef object read, write
    cdef bint is_open  # the handshake is over

    def __cinit__(self, context):
        self.incoming, self.outgoing = MemoryBIO(), MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.read, self.write = self.tls.read, self.tls.write

    cdef bint shake(self):
        """Go on with the handshake; whether it is over."""
        try:
            self.tls.do_handshake()
        except SSLWantReadError:
            return False
        self.is_open = True
        return True

    cdef Py_ssize_t open(self, bytearray room) except -2:
        """The next that was said: how many bytes of the room; 0 where the peer ended it, -1 where
        more has to come first."""
        try:
            return self.read(RECORD, room)
        except SSLWantReadError:
            return -1

    cdef bint has_more(self):
        """Whether there may be more of what came: records are opened whole."""
        return self.incoming.pending > 0

    cdef bytes seal(self, const uint8_t *data, Py_ssize_t size):
        """What to send for these bytes."""
        cdef Py_ssize_t sealed = 0
        while sealed < size:
            sealed += self.write(PyBytes_FromStringAndSize(<char *> data + sealed, size - sealed))
        return self.outgoing.read()

    cdef bytes farewell(self):
        """What to send last: that nothing more comes, and was lost on the way. The peer's own is
        not waited for."""
        try:
            self.tls.unwrap()
        except SSLError:  # it wants the peer's, or has nobody to say it to
            pass
        return self.outgoing.read()
