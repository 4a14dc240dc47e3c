package org.vtpm.transport.fifo;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.Out;
import jnr.ffi.annotations.Variadic;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;

/** The functions of the C library that Java lacks. Public because the class that implements it is generated elsewhere. */
public interface LibC {
    int geteuid();

    int mkfifo(@In String path, int mode);

    @Variadic(fixedCount = 2)
    int open(@In String path, int flags);

    int close(int descriptor);

    @ssize_t
    long write(int descriptor, @In byte[] bytes, @size_t long count);

    int eventfd(int initial, int flags);

    int epoll_create1(int flags);

    int epoll_ctl(int epoll, int operation, int descriptor, @In Pointer event);

    int epoll_wait(int epoll, @Out Pointer events, int maximum, int timeout);

    String strerror(int error);
}
