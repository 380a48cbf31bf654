"""Connections that are read and written here and not by the loop: it waits for one descriptor, that
of `Lines`, and whatever of them is ready is gone through at once. Part of `session.pyx`.

A `Line` is to its `Connection` what a transport of asyncio is: it is told of its end from the loop
only, and what it cannot write stops its reading. With TLS (`secured.pxi`) the connection hears of it
when the handshake is over.
"""

cdef extern from *:
    """
    #include <errno.h>
    #include <stdint.h>
    #include <sys/socket.h>
    #ifdef __linux__
    #include <sys/epoll.h>
    #define LINES 1
    #else  /* elsewhere the loop's own transports serve */
    #define LINES 0
    #define EPOLLIN 1
    #define EPOLLOUT 4
    #define EPOLL_CLOEXEC 0
    #define EPOLL_CTL_ADD 1
    #define EPOLL_CTL_DEL 2
    #define EPOLL_CTL_MOD 3
    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0
    #endif
    typedef union { int fd; } epoll_data;
    struct epoll_event { uint32_t events; epoll_data data; };
    static int epoll_create1(int flags) { errno = ENOSYS; return -1; }
    static int epoll_ctl(int a, int b, int c, struct epoll_event *d) { errno = ENOSYS; return -1; }
    static int epoll_wait(int a, struct epoll_event *b, int c, int d) { errno = ENOSYS; return -1; }
    #endif
    """
    enum: LINES, EPOLLIN, EPOLLOUT, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD
    enum: MSG_NOSIGNAL
    ctypedef union epoll_data:
        int fd
    struct epoll_event:
        uint32_t events
        epoll_data data
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int operation, int descriptor, epoll_event *event)
    int epoll_wait(int epoll, epoll_event *events, int most, int milliseconds)
    ssize_t recv(int descriptor, void *into, size_t room, int flags)
    ssize_t send(int descriptor, const void *data, size_t size, int flags)

cdef enum:
    ROOM = 262144  # bytes that are read at a time
    READY = 64  # lines that are gone through at a time

HAS_LINES = bool(LINES)


cdef class Lines:
    """What is read and written here, for a loop that calls `ready` when the descriptor `fileno` is.
    Raises OSError."""

    cdef int epoll
    cdef object loop
    cdef dict lines  # by descriptor
    cdef uint8_t *room
    cdef bytearray opened  # room for a record of TLS

    def __cinit__(self, loop):
        self.epoll, self.loop, self.lines = -1, loop, {}
        self.opened = bytearray(RECORD)
        self.room = <uint8_t *> PyMem_Malloc(ROOM)
        if self.room == NULL:
            raise MemoryError
        self.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.epoll < 0:
            raise OSError(errno.errno, "epoll_create1")

    def __dealloc__(self):
        PyMem_Free(self.room)
        if self.epoll >= 0:
            close(self.epoll)

    def fileno(self):
        """The descriptor to wait for."""
        return self.epoll

    def add(self, socket, Endpoint endpoint not None, context=None, double patience=0):
        """Take over a connected socket that does not block; close it when all is over. `context`
        is that of TLS, whose handshake may take `patience` seconds."""
        cdef Line line
        if len(self.lines) >= endpoint.max_connections:
            endpoint.tell("too many connections")
            return socket.close()
        line = Line(self, socket, Connection(endpoint))
        if context is not None:
            line.secured = Secured(context)
        line.control(EPOLL_CTL_ADD, EPOLLIN)
        self.lines[line.descriptor] = line
        if context is None:
            line.connection.connection_made(line)
        else:
            line.timer = self.loop.call_later(patience, line.abort)

    def close(self):
        """Break off what is left."""
        for line in list(self.lines.values()):
            (<Line> line).abort()

    def ready(self):
        """Go through those that are ready."""
        cdef epoll_event events[READY]
        cdef Line line
        cdef int count, number
        count = epoll_wait(self.epoll, events, READY, 0)
        for number in range(count):
            # INVARIANT: a descriptor is closed by the loop, later, so none of these is another's.
            line = self.lines.get(events[number].data.fd)
            if line is None:
                continue  # it ended on the way
            try:
                line.handle(events[number].events)
            except Exception as error:  # as a loop does: the others are ready too
                self.loop.call_exception_handler(
                    {"message": "a connection failed", "exception": error, "transport": line}
                )
                line.abort()


@cython.final
cdef class Line:
    """A connection's way out, and in."""

    cdef Lines lines
    cdef object socket, timer
    cdef Connection connection
    cdef Secured secured
    cdef int descriptor
    cdef uint32_t watched
    cdef bytes unsent  # None: all was taken
    cdef bint closing, over, resting

    def __cinit__(self, Lines lines, socket, Connection connection):
        self.lines, self.socket, self.connection = lines, socket, connection
        self.descriptor = socket.fileno()

    def get_extra_info(self, name, default=None):
        """As of a transport of asyncio: there are a `socket` and, of TLS, an `ssl_object`."""
        if name == "ssl_object" and self.secured is not None:
            return self.secured.tls
        return self.socket if name == "socket" else default

    cpdef bint is_closing(self):
        return self.closing

    cpdef pause_reading(self):
        self.resting = True
        self.watch()

    cpdef resume_reading(self):
        self.resting = False
        self.watch()

    cpdef close(self):
        """End when what is unsent was taken."""
        if not self.closing:
            if self.secured is not None:
                self.put(self.secured.farewell())
            self.closing = True
            if self.unsent is None:
                self.end(None)
            else:
                self.watch()

    cpdef abort(self):
        """End at once."""
        self.closing, self.unsent = True, None
        self.end(None)

    cdef write(self, const uint8_t *data, Py_ssize_t size):
        """Send, or keep what is not taken, and stop."""
        if self.closing:
            return
        if self.secured is None:
            return self.put_bytes(data, size)
        try:
            sealed = self.secured.seal(data, size)
        except SSLError:
            return self.fail(errno.EPROTO)
        self.put(sealed)

    cdef put(self, bytes data):
        if data and not self.closing:
            self.put_bytes(<uint8_t *> PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    cdef put_bytes(self, const uint8_t *data, Py_ssize_t size):
        """Send as it is."""
        cdef Py_ssize_t sent = 0
        if self.unsent is not None:
            self.unsent += PyBytes_FromStringAndSize(<char *> data, size)
            return
        sent = self.send(data, size)
        if 0 <= sent < size:
            self.unsent = PyBytes_FromStringAndSize(<char *> data + sent, size - sent)
            self.connection.pause_writing()
            self.watch()

    cdef Py_ssize_t send(self, const uint8_t *data, Py_ssize_t size):
        """How much was taken; negative where the line is broken."""
        cdef ssize_t sent = send(self.descriptor, data, size, MSG_NOSIGNAL)
        if sent < 0:
            if is_early(errno.errno):
                return 0
            self.fail(errno.errno)
        return sent

    cdef handle(self, uint32_t events):
        cdef Py_ssize_t sent
        cdef ssize_t count
        if self.unsent is not None and events & ~<uint32_t> EPOLLIN:
            unsent = self.unsent
            sent = self.send(<uint8_t *> PyBytes_AS_STRING(unsent), PyBytes_GET_SIZE(unsent))
            if sent < 0:
                return
            if sent < PyBytes_GET_SIZE(unsent):
                self.unsent = unsent[sent:]
                return
            self.unsent = None
            if self.closing:
                return self.end(None)
            self.connection.resume_writing()
            self.watch()
        if self.closing or self.resting or not events & ~<uint32_t> EPOLLOUT:
            return
        # INVARIANT: the room is used until the library has gone through it; nobody reads meanwhile.
        count = recv(self.descriptor, self.lines.room, ROOM, 0)
        if count > 0 and self.secured is None:
            self.connection.receive(self.lines.room, count)
        elif count > 0:
            self.hear_all(count)
        elif count == 0:
            self.close()
        elif not is_early(errno.errno):
            self.fail(errno.errno)

    cdef hear_all(self, Py_ssize_t count):
        """Take what came over TLS, in pieces: what held the longest stays as long as that."""
        cdef Py_ssize_t at = 0, size
        while at < count and not self.closing:
            size = min(<Py_ssize_t> RECORD, count - at)
            self.hear(PyBytes_FromStringAndSize(<char *> self.lines.room + at, size))
            at += size

    cdef hear(self, bytes data):
        cdef Secured secured = self.secured
        secured.incoming.write(data)
        try:
            if secured.is_open or self.begin():
                self.hear_opened()
        except SSLError:
            self.put(secured.outgoing.read())  # the alert that says why
            self.fail(errno.EPROTO)
        else:
            self.put(secured.outgoing.read())

    cdef bint begin(self) except -1:
        """Go on with the handshake, and tell the connection when it is over. Whether it is."""
        cdef Secured secured = self.secured
        if not secured.shake():
            return False
        self.put(secured.outgoing.read())  # before what the connection says
        if not self.closing:
            self.connection.connection_made(self)
        if not self.closing:  # else it ends by then
            self.timer.cancel()
        return True

    cdef hear_opened(self):
        cdef Secured secured = self.secured
        cdef bytearray room = self.lines.opened
        cdef Py_ssize_t count = 1
        while not self.closing and count > 0:
            # INVARIANT: the room is used until the library has gone through it, as that of `Lines`.
            count = secured.open(room)
            if count > 0:
                self.connection.receive(<uint8_t *> PyByteArray_AS_STRING(room), count)
                if not secured.has_more():
                    return
        if count == 0:
            self.close()

    cdef watch(self):
        """Wait for what there is to do."""
        cdef uint32_t wanted = 0
        if not (self.closing or self.resting):
            wanted |= EPOLLIN
        if self.unsent is not None:
            wanted |= EPOLLOUT
        if wanted != self.watched and not self.over:
            self.control(EPOLL_CTL_MOD, wanted)

    cdef control(self, int operation, uint32_t wanted):
        cdef epoll_event event
        event.events, event.data.fd = wanted, self.descriptor
        self.watched = wanted
        if epoll_ctl(self.lines.epoll, operation, self.descriptor, &event):
            raise OSError(errno.errno, "epoll_ctl")

    cdef fail(self, int error):
        self.closing, self.unsent = True, None
        self.end(OSError(error, "the connection is broken"))

    cdef end(self, error):
        if not self.over:
            self.over = True
            if self.timer is not None:
                self.timer.cancel()
            self.lines.loop.call_soon(self.ended, error)
            self.lines.lines.pop(self.descriptor, None)
            self.control(EPOLL_CTL_DEL, 0)

    def ended(self, error):
        """The loop tells that it is over."""
        try:
            self.connection.connection_lost(error)
        finally:
            self.socket.close()


cdef inline bint is_early(int error):
    return error == errno.EAGAIN or error == errno.EINTR
