// http.mjs URL FILE - a producer with axios: posts each line of FILE with a key ($API_KEY), all at once, waits for what becomes of it, and
// prints {id: wamid}.
import fs from "node:fs";
import axios from "axios";

const [url, file] = process.argv.slice(2);
const messages = fs.readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const api = axios.create({ baseURL: url, headers: { Authorization: "Bearer " + process.env.API_KEY }, timeout: 60000 });

async function post(message) {
	const { status, data } = await api.post("/v1/messages", message, {
		headers: { "Idempotency-Key": "axios-" + message.id, Prefer: "wait=30" },
	});
	if (status !== 200) throw new Error(message.id + ": " + status + " " + JSON.stringify(data));
	return [data.id, data.wamid];
}

try {
	console.log(JSON.stringify(Object.fromEntries(await Promise.all(messages.map(post)))));
} catch (error) {
	console.error(error.response ? error.response.data : error);
	process.exit(1);
}
