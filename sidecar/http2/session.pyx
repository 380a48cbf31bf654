# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""gRPC's framing over HTTP/2: an asyncio protocol around a session of libnghttp2.

Begin with `Connection.data_received`. What arrives goes through the library, whose callbacks only
note what they see in an `Exchange`; those that are whole are answered when the library has
returned; what it then wants to send is written. `Endpoint` holds what connections share.

Laws: no Python of others runs within a callback, so a session is never entered twice and never
freed under itself. What a client makes us keep is counted (`held`) and bounded, and so is what it
may do without asking anything (`credit`). Nothing is allocated by a length that is only promised.
A peer that does not read is not read.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.string cimport memcmp, memcpy
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

cimport cython

from nghttp2 cimport *

cdef enum:
    WINDOW = 1048576  # bytes that a peer may send ahead; they are taken at once
    OUT = 32768  # bytes that are gathered for a write; a frame is 16,393 at most
    PREFIX = 5  # a message's flag and length
    SMALL = 256  # bytes of a frame of data that is too little to be sent for its own sake
    STRIKES = 2  # pings that come too soon, until a connection is closed
    CONTINUATIONS = 8
    SETTINGS = 32  # in a frame
    ACKS = 1000  # that wait to be sent
    MORE = 8  # trailers of a status besides its code and message

# google.rpc.Code
cdef enum:
    DEADLINE_EXCEEDED = 4
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    INTERNAL = 13
    FLOODED = -904  # NGHTTP2_ERR_FLOODED
    NOT_GRPC = -1  # told by a status of HTTP

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


cdef class Endpoint:
    """What the connections of a server share: who answers, where, and within which bounds.

    `routes` has what each path (bytes) leads to, `answer(connection, exchange)` is called for each
    whole request and does not raise, `identify(transport)` names who is at the other end,
    `tell(event)` is told what an operator may want to know. `now` is the clock of `look`;
    `on_empty` is called without arguments when the last connection has gone.
    """

    cdef nghttp2_session_callbacks *callbacks
    cdef nghttp2_option *option
    cdef readonly dict routes
    cdef readonly object answer, identify, tell
    cdef readonly set connections
    cdef readonly Py_ssize_t calls  # that have begun and not ended
    cdef readonly Py_ssize_t held  # bytes that are kept for all of them
    cdef public object on_empty
    cdef readonly bint draining
    cdef double now
    cdef Py_ssize_t message_bytes, header_bytes, held_bytes, all_held_bytes, max_calls, max_connections
    cdef uint32_t streams
    cdef double credit, credit_rate, credit_call  # of frames that ask nothing
    cdef double ping_interval, patience, keepalive, keepalive_timeout, max_age, max_age_grace

    def __cinit__(self):
        if nghttp2_session_callbacks_new(&self.callbacks) or nghttp2_option_new(&self.option):
            raise MemoryError
        nghttp2_session_callbacks_set_on_begin_frame_callback(self.callbacks, on_begin_frame)
        nghttp2_session_callbacks_set_on_begin_headers_callback(self.callbacks, on_begin_headers)
        nghttp2_session_callbacks_set_on_header_callback(self.callbacks, on_header)
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(self.callbacks, on_data)
        nghttp2_session_callbacks_set_on_frame_recv_callback(self.callbacks, on_frame)
        nghttp2_session_callbacks_set_on_stream_close_callback(self.callbacks, on_close)
        nghttp2_option_set_no_closed_streams(self.option, 1)
        nghttp2_option_set_max_outbound_ack(self.option, ACKS)
        nghttp2_option_set_max_settings(self.option, SETTINGS)
        nghttp2_option_set_max_continuations(self.option, CONTINUATIONS)

    def __init__(self, dict routes, answer, identify, tell, bounds):
        nghttp2_option_set_stream_reset_rate_limit(self.option, bounds.resets, bounds.resets_rate)
        self.credit, self.credit_rate = bounds.idle_frames, bounds.idle_frames_rate
        self.credit_call = bounds.idle_frames_call
        self.routes, self.answer, self.identify, self.tell = routes, answer, identify, tell
        self.connections, self.now = set(), clock()
        self.message_bytes, self.header_bytes = bounds.message_bytes, bounds.header_bytes
        self.held_bytes, self.all_held_bytes = bounds.held_bytes, bounds.all_held_bytes
        self.streams = bounds.streams
        self.max_calls, self.max_connections = bounds.calls, bounds.connections
        self.ping_interval, self.patience = bounds.ping_interval, bounds.patience
        self.keepalive, self.keepalive_timeout = bounds.keepalive, bounds.keepalive_timeout
        self.max_age, self.max_age_grace = bounds.max_age, bounds.max_age_grace

    def __dealloc__(self):
        # INVARIANT: every connection holds its endpoint, so no session outlives these.
        nghttp2_session_callbacks_del(self.callbacks)
        nghttp2_option_del(self.option)

    cdef leave(self, connection):
        self.connections.discard(connection)
        if not self.connections and self.on_empty is not None:
            self.on_empty()

    def drain(self):
        """Take no new calls on any connection."""
        self.draining = True
        for connection in list(self.connections):
            (<Connection> connection).drain()

    def abort(self):
        """Close all connections at once."""
        for connection in list(self.connections):
            (<Connection> connection).abort()

    def look(self):
        """To be called now and then: closes what is late, old, or not alive."""
        self.now = clock()
        for connection in list(self.connections):
            (<Connection> connection).look(self.now)


@cython.final
@cython.freelist(256)
cdef class Exchange:
    """One call: what is known of its request, and what goes back."""

    cdef int32_t stream
    cdef readonly object route  # what its path leads to
    cdef readonly str request_id, traceparent, tracestate, authorization
    cdef readonly bytes message, encoding, accepted
    cdef readonly bint is_compressed
    cdef readonly bint closed
    cdef public object on_taken  # called without arguments when what was sent last has gone
    cdef public object on_close  # called without arguments when it has ended, however
    cdef bytes path
    cdef bint is_post, is_grpc, admitted, whole, headed, over, settled
    cdef double timeout, began, since
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
    def left(self):
        """Seconds until the caller gives up; None: never."""
        return None if self.timeout < 0 else self.timeout - (clock() - self.began)

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


@cython.final
cdef class Connection:
    """One connection, as a protocol of asyncio. `caller` is what the endpoint says of its peer."""

    cdef nghttp2_session *session
    cdef Endpoint endpoint
    cdef object transport
    cdef readonly object caller
    cdef dict exchanges
    cdef list ready, done, gone, unwanted
    cdef Py_ssize_t held
    cdef double credit, credited, heard, pinged, born, stalled, ends, last_ping
    cdef int strikes
    cdef bint paused, inside, greeted, draining, flooding, deaf

    def __cinit__(self, Endpoint endpoint):
        cdef nghttp2_settings_entry settings[4]
        self.endpoint, self.exchanges = endpoint, {}
        self.ready, self.done, self.gone, self.unwanted = [], [], [], []
        self.credit, self.born = endpoint.credit, endpoint.now
        self.credited = self.heard = self.born
        self.pinged = self.stalled = self.ends = self.last_ping = -1
        # INVARIANT: the session is self's alone and is freed with it; its callbacks are called in
        # functions of self only, so the borrowed pointer to self is good in each.
        if nghttp2_session_server_new2(&self.session, endpoint.callbacks, <void *> self, endpoint.option):
            raise MemoryError
        settings[0].settings_id = NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS
        settings[0].value = endpoint.streams
        settings[1].settings_id = NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE
        settings[1].value = WINDOW
        settings[2].settings_id = NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE
        settings[2].value = <uint32_t> endpoint.header_bytes
        settings[3].settings_id = NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES
        settings[3].value = 1
        if nghttp2_submit_settings(self.session, NGHTTP2_FLAG_NONE, settings, 4):
            raise MemoryError
        if nghttp2_session_set_local_window_size(self.session, NGHTTP2_FLAG_NONE, 0, WINDOW):
            raise MemoryError

    def __dealloc__(self):
        if self.session != NULL:
            nghttp2_session_del(self.session)

    # -- what asyncio tells ---------------------------------------------------------------------

    def connection_made(self, transport):
        """Greet who connected, or send them away where there are too many."""
        self.transport = transport
        tls = transport.get_extra_info("ssl_object")
        if len(self.endpoint.connections) >= self.endpoint.max_connections:
            self.endpoint.tell("too many connections")
            return transport.abort()
        if self.endpoint.draining:
            return transport.abort()
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            return transport.close()
        self.endpoint.connections.add(self)
        self.caller = self.endpoint.identify(transport)
        self.flush()

    def data_received(self, bytes data not None):
        """Go through what came, answer what is whole, and write."""
        cdef ssize_t used
        if self.transport is None or self.deaf:
            return
        self.heard, self.pinged = self.endpoint.now, -1
        used = nghttp2_session_mem_recv(
            self.session, <const uint8_t *> PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)
        )
        if self.flooding or used == FLOODED:
            self.flooding = False
            self.endpoint.tell("a connection was closed: too many frames that ask nothing")
            nghttp2_session_terminate_session(self.session, NGHTTP2_ENHANCE_YOUR_CALM)
        if self.ready:
            self.settle()
        self.flush()
        if used < 0:  # the library is within a frame that it does not take: it hears no more
            self.deaf = True
            if self.transport is not None:
                self.transport.close()

    def eof_received(self):
        """Nothing more will be asked, and half a connection is none."""
        return False

    def connection_lost(self, error):
        """Let go of everything."""
        self.transport = None
        self.endpoint.leave(self)
        unsent = False
        for exchange in list(self.exchanges.values()):
            unsent = unsent or (<Exchange> exchange).headed
            self.forget(exchange)
        self.tidy()
        if unsent:
            self.endpoint.tell("an answer could not be sent")

    def pause_writing(self):
        """The peer does not read: it is not read either."""
        self.paused, self.stalled = True, self.endpoint.now
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self):
        """The peer reads again."""
        self.paused, self.stalled = False, -1
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
            self.flush()

    # -- answering ------------------------------------------------------------------------------

    cdef settle(self):
        """Answer the calls that are whole, or refused."""
        cdef Exchange exchange
        ready, self.ready, self.inside = self.ready, [], True
        try:
            for exchange in ready:
                if exchange.closed or exchange.settled:
                    continue
                exchange.settled = True
                if exchange.code < 0:
                    self.refuse_http(exchange, exchange.text)
                elif exchange.code:
                    self.refuse(exchange, exchange.code, exchange.text)
                elif self.is_full():
                    self.refuse(exchange, RESOURCE_EXHAUSTED, b"too much is asked at once")
                else:
                    self.endpoint.answer(self, exchange)
        finally:
            self.inside = False

    cpdef respond(self, Exchange exchange, bytes message, bint is_compressed=False):
        """The one answer to a call."""
        if exchange.closed:
            return
        exchange.over = True
        self.offer(exchange, message, is_compressed)

    cpdef send(self, Exchange exchange, bytes message):
        """One answer of several: the next one when `on_taken` was called."""
        if not exchange.closed:
            self.offer(exchange, message, False)

    cpdef refuse(self, Exchange exchange, int code, bytes text, tuple more=()):
        """End a call with a status: its code, its message as the wire has it, other trailers."""
        cdef nghttp2_nv head[5 + MORE]
        cdef size_t count = 2
        if exchange.closed:
            return
        exchange.code, exchange.text, exchange.more, exchange.over = code, text, more[:MORE], True
        if exchange.headed:
            nghttp2_session_resume_data(self.session, exchange.stream)
        else:
            exchange.headed = True
            head[0], head[1] = STATUS_200, CONTENT_TYPE
            if code == UNIMPLEMENTED:
                head[2], count = ACCEPTED, 3
            held = self.told(exchange, head, &count)
            self.check(nghttp2_submit_response(self.session, exchange.stream, head, count, NULL))
            self.end_request(exchange)
        self.written()

    cpdef end(self, Exchange exchange):
        """There are no more answers."""
        if not exchange.closed:
            exchange.over = True
            nghttp2_session_resume_data(self.session, exchange.stream)
            self.written()

    cdef refuse_http(self, Exchange exchange, bytes status):
        """End what is no call of gRPC."""
        cdef nghttp2_nv head[1]
        exchange.headed = exchange.over = True
        head[0] = copied(b":status", status)
        self.check(nghttp2_submit_response(self.session, exchange.stream, head, 1, NULL))
        self.end_request(exchange)

    cdef end_request(self, Exchange exchange):
        """What is left of a request that has its answer is not wanted (RFC 9113, section 8.1)."""
        if not nghttp2_session_get_stream_remote_close(self.session, exchange.stream):
            self.unwanted.append(exchange)  # once the answer is on its way: the library drops it else

    cdef bint reset_unwanted(self):
        """Whether there is more to send for it."""
        cdef Exchange exchange
        unwanted, self.unwanted = self.unwanted, []
        for exchange in unwanted:
            if not exchange.closed:
                nghttp2_submit_rst_stream(
                    self.session, NGHTTP2_FLAG_NONE, exchange.stream, NGHTTP2_NO_ERROR
                )
        return len(unwanted) > 0

    cdef offer(self, Exchange exchange, bytes message, bint is_compressed):
        """A message for the library to take when the peer lets it."""
        cdef nghttp2_nv head[4]
        cdef size_t count = 3
        cdef nghttp2_data_provider provider
        self.hold(exchange, PyBytes_GET_SIZE(message))
        exchange.load(message, is_compressed)
        exchange.since = self.endpoint.now
        if exchange.headed:
            nghttp2_session_resume_data(self.session, exchange.stream)
        else:
            exchange.headed = True
            head[0], head[1], head[2] = STATUS_200, CONTENT_TYPE, ACCEPTED
            if is_compressed:
                head[3], count = GZIP, 4
            # INVARIANT: the exchange is in `exchanges` until the stream is closed, and after that
            # the library does not read from it.
            provider.source.ptr = <void *> exchange
            provider.read_callback = on_read
            self.check(
                nghttp2_submit_response(self.session, exchange.stream, head, count, &provider)
            )
        self.credit = min(self.endpoint.credit, self.credit + self.endpoint.credit_call)
        self.written()

    cdef list told(self, Exchange exchange, nghttp2_nv *into, size_t *count):
        """The trailers that a call ends with. Gives what has to be held until they are copied."""
        if not exchange.code:
            into[count[0]] = GRPC_OK
            count[0] += 1
            return None
        held = [(b"grpc-status", b"%d" % exchange.code)]
        if exchange.text:
            held.append((b"grpc-message", exchange.text))
        held.extend(exchange.more or ())
        for name, value in held:
            into[count[0]] = copied(name, value)
            count[0] += 1
        return held

    cdef void check(self, int error):
        # What a stream that was closed meanwhile is told is lost with it.
        if error <= -900:  # NGHTTP2_ERR_FATAL
            self.ends = 0  # `look` ends it

    cdef written(self):
        if not self.inside:
            self.flush()

    cdef void hold(self, Exchange exchange, Py_ssize_t count):
        exchange.held += count
        self.held += count
        self.endpoint.held += count

    cdef bint is_full(self):
        """Whether more is kept for this connection, or for all of them, than may be."""
        cdef Endpoint endpoint = self.endpoint
        return self.held > endpoint.held_bytes or endpoint.held > endpoint.all_held_bytes

    # -- writing --------------------------------------------------------------------------------

    cdef flush(self):
        """Write what the library wants to send, until the peer does not take it."""
        cdef uint8_t out[OUT]
        cdef const uint8_t *data
        cdef ssize_t count = 0, used = 0
        transport = self.transport
        if transport is None or self.inside:
            return
        while not self.paused:
            count = nghttp2_session_mem_send(self.session, &data)
            if count == 0 and self.unwanted and self.reset_unwanted():
                continue
            if count <= 0:
                break
            if used + count > OUT:
                transport.write(PyBytes_FromStringAndSize(<char *> out, used))
                used = 0
            # INVARIANT: `data` is good until the library is called again.
            memcpy(&out[used], data, count)
            used += count
        if used:
            transport.write(PyBytes_FromStringAndSize(<char *> out, used))
        if self.done or self.gone:
            self.tidy()
        if self.transport is None:
            return
        if count < 0:
            self.transport.abort()
        elif not self.paused and not (
            nghttp2_session_want_read(self.session) or nghttp2_session_want_write(self.session)
        ):
            self.transport.close()

    cdef tidy(self):
        """Tell whoever waits for an exchange that it goes on, or has ended."""
        cdef Exchange exchange
        done, gone, self.done, self.gone = self.done, self.gone, [], []
        for exchange in done:
            if exchange.on_taken is not None and not exchange.closed:
                exchange.on_taken()
        for exchange in gone:
            if exchange.on_close is not None:
                exchange.on_close()
            exchange.on_taken = exchange.on_close = None

    cdef forget(self, Exchange exchange):
        """It has ended."""
        self.exchanges.pop(exchange.stream, None)
        exchange.closed = True
        self.hold(exchange, -exchange.held)
        self.endpoint.calls -= 1
        exchange.message = exchange.out = exchange.gathered = None
        if exchange.on_close is not None:
            self.gone.append(exchange)

    # -- what is looked at now and then ---------------------------------------------------------

    cdef drain(self):
        """Take no new calls; it closes when those that there are have ended."""
        if self.draining or self.transport is None:
            return
        self.draining = True
        last = nghttp2_session_get_last_proc_stream_id(self.session)
        nghttp2_submit_goaway(self.session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0)
        self.flush()

    cdef abort(self):
        """Close it at once."""
        if self.transport is not None:
            self.transport.abort()

    cdef look(self, double now):
        cdef Endpoint endpoint = self.endpoint
        if self.transport is None:
            return
        if self.is_late(now):
            return self.transport.abort()
        if endpoint.max_age > 0 and not self.draining and now - self.born > endpoint.max_age:
            self.ends = now + endpoint.max_age_grace
            return self.drain()
        if self.exchanges:
            self.look_at_exchanges(now)
        if self.pinged < 0 and now - self.heard > endpoint.keepalive:
            self.pinged = now
            nghttp2_submit_ping(self.session, NGHTTP2_FLAG_NONE, NULL)
        self.flush()

    cdef bint is_late(self, double now):
        cdef Endpoint endpoint = self.endpoint
        if not self.greeted and now - self.born > endpoint.patience:
            return True
        if self.stalled >= 0 and now - self.stalled > endpoint.patience:
            return True
        if self.pinged >= 0 and now - self.pinged > endpoint.keepalive_timeout:
            return True
        return self.ends >= 0 and now > self.ends

    cdef look_at_exchanges(self, double now):
        """End those whose request does not come, or whose answer is not taken."""
        cdef Exchange exchange
        for exchange in list(self.exchanges.values()):
            if now - exchange.since <= self.endpoint.patience:
                continue
            if not exchange.settled:
                exchange.refuse(DEADLINE_EXCEEDED, b"the request did not come in time")
                self.ready.append(exchange)
            elif exchange.out is not None:
                nghttp2_submit_rst_stream(
                    self.session, NGHTTP2_FLAG_NONE, exchange.stream, NGHTTP2_CANCEL
                )
                self.endpoint.tell("an answer could not be sent")
        if self.ready:
            self.settle()

    # -- what the library tells -----------------------------------------------------------------

    cdef begin(self, int32_t stream):
        cdef Exchange exchange = Exchange.__new__(Exchange)
        exchange.stream, exchange.timeout, exchange.since = stream, -1, self.endpoint.now
        exchange.request_id = exchange.traceparent = exchange.tracestate = ""
        exchange.authorization = ""
        self.exchanges[stream] = exchange
        self.endpoint.calls += 1
        # INVARIANT: borrowed from `exchanges`, and taken out of there only where the library
        # forgets the stream (`on_close`) or is not called again (`connection_lost`).
        nghttp2_session_set_stream_user_data(self.session, stream, <void *> exchange)

    cdef header(self, Exchange exchange, const char *name, size_t length, const char *value, size_t size):
        exchange.header_bytes += length + size + 32  # as HPACK counts (RFC 7541, section 4.1)
        if exchange.header_bytes > self.endpoint.header_bytes:
            return
        if length == 5 and not memcmp(name, b":path", 5):
            exchange.path = value[:size]
        elif length == 7 and not memcmp(name, b":method", 7):
            exchange.is_post = size == 4 and not memcmp(value, b"POST", 4)
        elif length == 10 and not memcmp(name, b"tracestate", 10):
            exchange.tracestate = value[:size].decode("latin-1")
        elif length == 11 and not memcmp(name, b"traceparent", 11):
            exchange.traceparent = value[:size].decode("latin-1")
        elif length == 12:
            if not memcmp(name, b"content-type", 12):
                exchange.is_grpc = is_grpc(value, size)
            elif not memcmp(name, b"grpc-timeout", 12):
                exchange.timeout, exchange.began = timeout(value, size), clock()
                if exchange.timeout < 0:
                    exchange.refuse(INTERNAL, b"grpc-timeout: expected digits and a unit")
            elif not memcmp(name, b"x-request-id", 12):
                exchange.request_id = value[:size].decode("latin-1")
        elif length == 13 and not memcmp(name, b"authorization", 13):
            exchange.authorization = value[:size].decode("latin-1")
        elif length == 13 and not memcmp(name, b"grpc-encoding", 13):
            exchange.encoding = value[:size]
        elif length == 20 and not memcmp(name, b"grpc-accept-encoding", 20):
            exchange.accepted = value[:size]

    cdef admit(self, Exchange exchange):
        """The headers are whole: is this a call that we answer?"""
        cdef Endpoint endpoint = self.endpoint
        exchange.admitted = True
        self.hold(exchange, exchange.header_bytes)
        if exchange.header_bytes > endpoint.header_bytes:
            exchange.refuse(
                RESOURCE_EXHAUSTED, b"the headers are longer than %d bytes" % endpoint.header_bytes
            )
        elif not (exchange.is_post and exchange.is_grpc):
            exchange.refuse(NOT_GRPC, b"415" if exchange.is_post else b"405")
        elif endpoint.calls > endpoint.max_calls or self.is_full():
            exchange.refuse(RESOURCE_EXHAUSTED, b"too many calls at once")
        else:
            exchange.route = endpoint.routes.get(exchange.path)
            if exchange.route is None:
                exchange.refuse(UNIMPLEMENTED, b"there is no such method")
        if exchange.code:
            self.ready.append(exchange)

    cdef take(self, Exchange exchange, const uint8_t *data, size_t count):
        if exchange.settled or exchange.code:
            return
        self.hold(exchange, exchange.receive(data, count, self.endpoint.message_bytes))
        if exchange.message is None and self.is_full():
            exchange.refuse(RESOURCE_EXHAUSTED, b"too much is asked at once")
        if exchange.code:
            self.ready.append(exchange)

    cdef finish(self, Exchange exchange):
        if exchange.settled or exchange.code:
            return
        if exchange.message is None:
            exchange.refuse(INTERNAL, b"expected one message")
        self.ready.append(exchange)

    cdef spend(self, const nghttp2_frame_hd *head):
        """Frames that ask nothing are paid for."""
        if head.type == NGHTTP2_HEADERS:
            return
        if head.type == NGHTTP2_DATA and (
            head.length >= SMALL or head.flags & NGHTTP2_FLAG_END_STREAM
        ):
            return
        self.credit += (self.endpoint.now - self.credited) * self.endpoint.credit_rate
        self.credit = min(self.endpoint.credit, self.credit) - 1
        self.credited = self.endpoint.now
        if self.credit < 0:
            self.flooding = True

    cdef ping(self):
        """A ping that comes too soon after the last one, and no answer went between: gRFC A8."""
        now = clock()
        if self.last_ping >= 0 and now - self.last_ping < self.endpoint.ping_interval:
            self.strikes += 1
            if self.strikes > STRIKES:
                self.endpoint.tell("a connection was closed: too many pings")
                nghttp2_submit_goaway(
                    self.session, NGHTTP2_FLAG_NONE,
                    nghttp2_session_get_last_proc_stream_id(self.session),
                    NGHTTP2_ENHANCE_YOUR_CALM, <const uint8_t *> b"too_many_pings", 14,
                )
                self.draining = True
        self.last_ping = now


# -- callbacks of the library: each tells a connection, and what Python raises is fatal -------------


cdef inline Exchange find(nghttp2_session *session, int32_t stream):
    cdef void *found = nghttp2_session_get_stream_user_data(session, stream)
    return <Exchange> found if found != NULL else None


cdef int on_begin_frame(
    nghttp2_session *session, const nghttp2_frame_hd *head, void *me
) noexcept:
    try:
        (<Connection> me).spend(head)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return NGHTTP2_ERR_CALLBACK_FAILURE if (<Connection> me).flooding else 0


cdef int on_begin_headers(
    nghttp2_session *session, const nghttp2_frame *frame, void *me
) noexcept:
    try:
        if find(session, frame.hd.stream_id) is None:  # else these are trailers
            (<Connection> me).begin(frame.hd.stream_id)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef int on_header(
    nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t length,
    const uint8_t *value, size_t size, uint8_t flags, void *me,
) noexcept:
    try:
        exchange = find(session, frame.hd.stream_id)
        if exchange is not None and not exchange.admitted:
            (<Connection> me).header(exchange, <char *> name, length, <char *> value, size)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef int on_data(
    nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t count,
    void *me,
) noexcept:
    try:
        exchange = find(session, stream)
        if exchange is not None:
            (<Connection> me).take(exchange, data, count)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *me) noexcept:
    cdef Connection connection = <Connection> me
    try:
        if frame.hd.type == NGHTTP2_HEADERS or frame.hd.type == NGHTTP2_DATA:
            exchange = find(session, frame.hd.stream_id)
            if exchange is None:
                return 0
            if not exchange.admitted:
                connection.admit(exchange)
            if frame.hd.flags & NGHTTP2_FLAG_END_STREAM:
                connection.finish(exchange)
        elif frame.hd.type == NGHTTP2_SETTINGS:
            connection.greeted = True
        elif frame.hd.type == NGHTTP2_PING and not frame.hd.flags & NGHTTP2_FLAG_ACK:
            connection.ping()
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *me) noexcept:
    try:
        exchange = find(session, stream)
        if exchange is not None:
            # INVARIANT: from here on the library's pointer to it is not followed.
            nghttp2_session_set_stream_user_data(session, stream, NULL)
            (<Connection> me).forget(exchange)
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return 0


cdef ssize_t on_read(
    nghttp2_session *session, int32_t stream, uint8_t *into, size_t room, uint32_t *flags,
    nghttp2_data_source *source, void *me,
) noexcept:
    """Give the library as much of an answer as it has room for."""
    cdef Exchange exchange = <Exchange> source.ptr
    cdef Connection connection = <Connection> me
    cdef nghttp2_nv trailers[5 + MORE]
    cdef size_t count = 0
    cdef Py_ssize_t used = 0, part
    try:
        connection.strikes, connection.last_ping = 0, -1
        if exchange.out is not None:
            if exchange.taken < PREFIX:
                used = min(PREFIX - exchange.taken, <Py_ssize_t> room)
                memcpy(into, &exchange.out_prefix[exchange.taken], used)
                exchange.taken += used
            part = PyBytes_GET_SIZE(exchange.out) + PREFIX - exchange.taken
            part = min(part, <Py_ssize_t> room - used)
            if part > 0:
                memcpy(into + used, PyBytes_AS_STRING(exchange.out) + exchange.taken - PREFIX, part)
                exchange.taken, used = exchange.taken + part, used + part
            if exchange.taken < PyBytes_GET_SIZE(exchange.out) + PREFIX:
                return used
            connection.hold(exchange, -PyBytes_GET_SIZE(exchange.out))
            exchange.out = None
            if not exchange.over:
                connection.done.append(exchange)
        if exchange.over:
            flags[0] |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM
            held = connection.told(exchange, trailers, &count)
            if nghttp2_submit_trailer(session, stream, trailers, count):
                return NGHTTP2_ERR_CALLBACK_FAILURE
        elif not used:
            return NGHTTP2_ERR_DEFERRED
    except BaseException:
        return NGHTTP2_ERR_CALLBACK_FAILURE
    return used
