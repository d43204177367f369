// sender.mjs OPTIONS - a sender as many write it in Node: amqplib, axios over kept connections, ioredis, opossum, libphonenumber-js.
//
// OPTIONS is JSON: {queue, count, window, graph, ca, accounts}; broker and Redis are $AMQP_URL and $REDIS_URL.  For each message it does what
// the bare loop does (src/load/bare.c: EVALSHA, POST, EVALSHA, ack; the scripts are the same), and what every worker does beside: it parses
// the message, checks the number and calls through the account's circuit breaker.  The report is JSON, as that of the bare loop.
import fs from "node:fs";
import https from "node:https";
import amqp from "amqplib";
import axios from "axios";
import Redis from "ioredis";
import { parsePhoneNumberFromString } from "libphonenumber-js";
import CircuitBreaker from "opossum";

const options = JSON.parse(process.argv[2]);
const WAMID = "wamid.HBgNNDkxNTEwMDAwMDAwMBUCABEYEjBBMUIyQzNENUU2Rjc4OTAxMgA=";
const owner = "node-" + process.pid;

const redis = new Redis(process.env.REDIS_URL);
redis.defineCommand("admit", { numberOfKeys: 3, lua: `
local now = redis.call('TIME')
local r = redis.call('HMGET', KEYS[1], 'v', 's', 'n', 'o', 'l', 'w')
if r[2] then return { 'final', 0 } end
redis.call('GET', KEYS[2])
redis.call('SET', KEYS[2], now[1] .. now[2], 'PX', 60000)
redis.call('HSET', KEYS[1], 'v', 1, 'id', ARGV[1], 's', 'sending', 'n', 1, 'o', ARGV[2], 'l', now[1])
redis.call('PEXPIRE', KEYS[1], 600000)
redis.call('SET', KEYS[3], ARGV[1], 'PX', 600000)
return { 'go', 1 }` });
redis.defineCommand("settle", { numberOfKeys: 3, lua: `
local now = redis.call('TIME')
local r = redis.call('HMGET', KEYS[1], 's', 'n', 'o', 'w')
redis.call('SET', KEYS[2], ARGV[1], 'PX', 600000)
redis.call('HSET', KEYS[1], 'v', 1, 's', 'sent', 'n', 1, 'w', ARGV[2], 'at', now[1])
redis.call('PEXPIRE', KEYS[1], 600000)
return { 'ok', 1 }` });

const api = axios.create({
	baseURL: options.graph + "/v25.0/",
	timeout: 20000,
	httpsAgent: new https.Agent({ keepAlive: true, maxSockets: options.window, ca: fs.readFileSync(options.ca) }),
});

const accounts = new Map();
for (const account of JSON.parse(fs.readFileSync(options.accounts, "utf8"))) {
	const url = account.phone_number_id + "/messages";
	const headers = { Authorization: "Bearer " + account.access_token };
	const post = (body) => api.post(url, body, { headers });
	accounts.set(account.account_id, new CircuitBreaker(post, { timeout: 20000, errorThresholdPercentage: 50 }));
}

async function send(content) {
	const message = JSON.parse(content.toString());
	const phone = parsePhoneNumberFromString(message.to);
	if (!phone || !phone.isValid()) throw new Error("bad recipient");
	const record = "node:m:{n}:" + message.id;
	const [verdict] = await redis.admit(record, "node:r:{n}:" + message.account_id, "node:i:{n}:" + message.id, message.id, owner);
	if (verdict !== "go") throw new Error(verdict);
	await accounts.get(message.account_id).fire({
		messaging_product: "whatsapp", recipient_type: "individual", to: phone.number, type: "text", text: message.text,
		biz_opaque_callback_data: message.id,
	});
	await redis.settle(record, "node:w:{n}:" + message.id, "node:i:{n}:" + message.id, message.id, WAMID);
}

const connection = await amqp.connect(process.env.AMQP_URL);
const channel = await connection.createChannel();
let taken = 0, done = 0, failed = 0, began, used, all;
const finished = new Promise((resolve) => { all = resolve; });

async function onDelivery(delivery) {
	if (taken === options.count) return;		// it goes back when the channel is closed
	if (taken++ === 0) {
		began = performance.now();
		used = process.cpuUsage();
	}
	try {
		await send(delivery.content);
	} catch (error) {
		if (failed++ === 0) console.error(error.message);
	}
	channel.ack(delivery);
	if (++done === options.count) all();
}

await channel.prefetch(options.window);
await channel.consume(options.queue, onDelivery);
await finished;
const seconds = (performance.now() - began) / 1000, cpu = process.cpuUsage(used);
await channel.close();
await connection.close();
redis.disconnect();
console.log(JSON.stringify({
	messages: done, failed, seconds, per_second: done / seconds, cpu_us: (cpu.user + cpu.system) / done,
	max_rss_kb: process.resourceUsage().maxRSS,
}));
process.exit(0);
