// message-sending.js - load on wamd's HTTP API, for who has k6: 20 accounts, each 100 messages a second, for a minute.
//
//	k6 run -e API_URL=http://127.0.0.1:8080 -e ACCOUNTS=/path/of/accounts.json t/load/message-sending.js
//
// ACCOUNTS is a JSON array of {"account_id", "api_key"}, as a stack of t/stack has it.  PER_ACCOUNT, DURATION: other loads.  The same without
// k6: "wamd-load post --accounts", see wamd-load(1).  Never towards a wamd that sends to Meta.
import http from "k6/http";
import { check } from "k6";
import { SharedArray } from "k6/data";
import exec from "k6/execution";

const accounts = new SharedArray("accounts", () => JSON.parse(open(__ENV.ACCOUNTS)).slice(0, 20));
const perAccount = Number(__ENV.PER_ACCOUNT || 100);

export const options = {
	scenarios: {
		sending: {
			executor: "constant-arrival-rate",
			rate: perAccount * accounts.length,
			timeUnit: "1s",
			duration: __ENV.DURATION || "60s",
			preAllocatedVUs: 200,
			maxVUs: 2000,
		},
	},
	thresholds: {
		http_req_duration: ["p(95)<500"],
		http_req_failed: ["rate<0.001"],
		checks: ["rate>0.999"],
		dropped_iterations: ["count==0"],	// or it was less than the load
	},
};

// Another recipient for each message: Meta limits what one of them may get.
function recipient(i) {
	return "+49151" + String(i % 100000000).padStart(8, "0");
}

export default function () {
	const i = exec.scenario.iterationInTest;
	const account = accounts[i % accounts.length];
	const message = { account_id: account.account_id, to: recipient(i), type: "text", text: { body: `Hello from k6: message ${i}` } };
	const answer = http.post(`${__ENV.API_URL}/v1/messages`, JSON.stringify(message), {
		headers: { "Content-Type": "application/json", Authorization: `Bearer ${account.api_key}` },
	});

	check(answer, { "it is queued": (r) => r.status === 202 });
}
