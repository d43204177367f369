// amqp.mjs URL FILE - a producer with amqplib: publishes each line of FILE with confirms, listens to status events meanwhile, and prints
// {id: wamid} when each message has its "accepted".
import fs from "node:fs";
import amqp from "amqplib";

const [url, file] = process.argv.slice(2);
const messages = fs.readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const connection = await amqp.connect(url);
const listening = await connection.createChannel();
const { queue } = await listening.assertQueue("", { exclusive: true });
await listening.bindQueue(queue, "whatsapp.status", "status.t1.accepted");

const wamids = {};
const all = new Promise((resolve) => {
	listening.consume(queue, (delivery) => {
		const event = JSON.parse(delivery.content.toString());
		wamids[event.id] = event.wamid;
		if (messages.every((message) => wamids[message.id])) resolve();
	}, { noAck: true });
});

const channel = await connection.createConfirmChannel();
channel.on("return", (delivery) => { throw new Error("returned: " + delivery.fields.replyText); });
for (const message of messages)
	channel.publish("whatsapp", "outbound", Buffer.from(JSON.stringify(message)), {
		mandatory: true, persistent: true, contentType: "application/json", messageId: message.id,
	});
await channel.waitForConfirms();
await all;
console.log(JSON.stringify(wamids));
await connection.close();
