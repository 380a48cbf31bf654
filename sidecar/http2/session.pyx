# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""gRPC's framing over HTTP/2: an asyncio protocol around a session of libnghttp2.

Begin with `Connection.data_received`. What arrives goes through the library, whose callbacks only
note what they see in an `Exchange`; those that are whole are answered when the library has
returned; what it then wants to send is written. `Endpoint` holds what connections share. Parts of
this module have files of their own: `exchange.pxi`, `endpoint.pxi`, `callbacks.pxi`, and `lines.pxi`
and `secured.pxi`, by which connections go around the loop's transports.

Laws: no Python of others runs within a callback, so a session is never entered twice and never
freed under itself. What a client makes us keep is counted (`held`) and bounded, and so is what it
may do without asking anything (`credit`). Nothing is allocated by a length that is only promised.
A peer that does not read is not read.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc cimport errno
from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.string cimport memcmp, memcpy
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from posix.unistd cimport close

cimport cython

from nghttp2 cimport *

from ssl import MemoryBIO, SSLError, SSLWantReadError
from time import perf_counter

from ..door import Call

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

include "exchange.pxi"
include "endpoint.pxi"

cdef class Lines
cdef class Line
cdef class Secured


@cython.final
cdef class Connection:
    """One connection, as a protocol of asyncio. `caller` is what the endpoint says of its peer."""

    cdef nghttp2_session *session
    cdef Endpoint endpoint
    cdef object transport
    cdef Line line  # the transport, where it is one
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
        if isinstance(transport, Line):
            self.line = transport
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
        self.receive(<const uint8_t *> PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    cdef receive(self, const uint8_t *data, size_t size):
        cdef ssize_t used
        if self.transport is None or self.deaf:
            return
        self.heard, self.pinged = self.endpoint.now, -1
        used = nghttp2_session_mem_recv(self.session, data, size)
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
        self.transport = self.line = None
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
                    self.answer(exchange)
        finally:
            self.inside = False

    cdef answer(self, Exchange exchange):
        """Answer a whole call, or begin to."""
        cdef Endpoint endpoint = self.endpoint
        cdef Route route = exchange.route
        exchange.begin(self.caller)
        if exchange.is_compressed or route.way is not None:
            return endpoint.answer(self, exchange)
        answer = route.door.answer(exchange, route.served, exchange.message)
        if type(answer) is bytes and PyBytes_GET_SIZE(answer) <= endpoint.plain_bytes:
            self.respond(exchange, answer)
        else:
            endpoint.end(self, exchange, answer)

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
        if self.transport is None or self.inside:
            return
        while not self.paused:
            count = nghttp2_session_mem_send(self.session, &data)
            if count == 0 and self.unwanted and self.reset_unwanted():
                continue
            if count <= 0:
                break
            if used + count > OUT:
                self.write(out, used)
                used = 0
            # INVARIANT: `data` is good until the library is called again.
            memcpy(&out[used], data, count)
            used += count
        if used:
            self.write(out, used)
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

    cdef write(self, const uint8_t *data, Py_ssize_t size):
        if self.line is not None:
            self.line.write(data, size)
        else:
            self.transport.write(PyBytes_FromStringAndSize(<char *> data, size))

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
        exchange.authorization = exchange.min_revision = ""
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
                exchange.timeout, exchange.asked = timeout(value, size), clock()
                if exchange.timeout < 0:
                    exchange.refuse(INTERNAL, b"grpc-timeout: expected digits and a unit")
            elif not memcmp(name, b"min-revision", 12):
                exchange.min_revision = value[:size].decode("latin-1")
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


include "callbacks.pxi"
include "secured.pxi"
include "lines.pxi"
