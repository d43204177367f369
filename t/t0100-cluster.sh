#!/usr/bin/env bash
# All keys of a script's call lie in one slot: the scripts' tests run against a Redis Cluster of one node, too.
. "$(dirname "$0")/lib.sh"

# The node's own port and the one for its bus, 10000 above.
free_port() {
	python3 -c '
import random, socket
while True:
    try:
        port = random.randrange(20000, 30000)
        with socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", port + 10000)):
            break
    except OSError:
        pass
print(port)'
}

# setpriv: it goes when this script does, however that ends.
start_cluster() {
	local password port
	password=$(openssl rand -hex 12) port=$(free_port) || return
	mkdir -p "$TRASH/cluster"
	(umask 077; cat >"$TRASH/cluster/redis.conf") <<-END
		bind 127.0.0.1
		port $port
		dir "$TRASH/cluster"
		requirepass $password
		save ""
		maxmemory-policy noeviction
		cluster-enabled yes
	END
	export REDIS_URL=redis://:$password@127.0.0.1:$port/0
	setpriv --pdeathsig KILL redis-server "$TRASH/cluster/redis.conf" >"$TRASH/cluster/log" 2>&1 &
	server=$!
	wait_for 'test "$(redis ping)" = PONG'
}

server=
test_expect_success 'a cluster of one node comes up' '
	start_cluster &&
	redis cluster addslots $(seq 0 16383) >actual && test_grep OK actual &&
	wait_for "redis cluster info | grep cluster_state:ok"
'
test_expect_success 'it does object: keys of two slots, declared or made up by the script' '
	redis eval "return 1" 2 "a{d}" "b{e}" 2>&1 | tee actual && test_grep CROSSSLOT actual &&
	redis eval "#!lua
return redis.call(\"get\", KEYS[1]) or redis.call(\"get\", \"b{e}\")" 1 "a{d}" 2>&1 | tee actual && test_grep "same slot" actual
'
for source in "$T"/unit/test_scripts*.c; do
	unit=$(basename "$source" .c)
	test_expect_success "$unit keeps to one slot" '
		STRICT_SLOTS=1 "$WAMD_BUILD/unit/$unit" >actual 2>&1; rc=$?
		cat actual && test $rc -eq 0 && ! grep SKIP actual
	'
done
test_expect_success 'and leaves nothing behind' '
	redis dbsize >actual && test_grep "^0$" actual
'
[[ -z $server ]] || { kill "$server"; wait "$server"; }
test_done
