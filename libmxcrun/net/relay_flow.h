/* relay_flow.h - one direction of a connection that the relay carries (relay_loop.h). */
#ifndef MXCRUN_NET_RELAY_FLOW_H
#define MXCRUN_NET_RELAY_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#define RELAY_FLOW_FILES 2u /* descriptors that a flow may hold besides its sockets */

struct relay_pipe;

struct relay_pipes {
	struct relay_pipe *spare; /* large and empty ones */
	size_t large_count;	  /* those in use, too */
};

struct relay_flow {
	int from, to;		 /* sockets, of the connection */
	struct relay_pipe *held; /* what came and has not gone on; NULL: nothing */
	size_t len;		 /* of that, in bytes */
	bool has_ended;		 /* no more will come */
	bool is_done;		 /* and all has gone on */
};

/* Of a stream socket before it connects or listens, which those that are accepted inherit; is_local: its peers are on this machine. */
void relay_flow_tune(int fd, bool is_local);

/* Of a stream socket: what the kernel holds for it stays small, however much its peers send or leave. */
void relay_flow_narrow(int fd);

/* Carry on for a while. 1: there may be more at once; 0: nothing can move now; -errno: the connection has failed. */
int relay_flow_carry(struct relay_pipes *pipes, struct relay_flow *flow);

/* What it holds is lost. */
void relay_flow_end(struct relay_pipes *pipes, struct relay_flow *flow);

/* Nothing is carried for now: give the spare ones back to the system. */
void relay_pipes_rest(struct relay_pipes *pipes);

#endif
