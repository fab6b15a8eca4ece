// What people put in front of their API: express with express-rate-limit, told its options as JSON.
// Prints its port; when its stdin ends it prints what it has counted, and ends.
import express from 'express';
import { rateLimit } from 'express-rate-limit';

const counts = { requests: 0, refused: 0, most_in_flight: 0 };
let inFlight = 0;
const app = express();
app.use((request, response, next) => {
    counts.requests++;
    counts.most_in_flight = Math.max(counts.most_in_flight, ++inFlight);
    response.on('close', () => {
        inFlight--;
        counts.refused += response.statusCode === 429;
    });
    next();
});
app.use(rateLimit(JSON.parse(process.argv[2])));
app.get('/items/:id', (request, response) =>
    setTimeout(() => response.json({ id: Number(request.params.id), text: 'lorem ipsum '.repeat(20) }), 20));
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on('end', () => {
    console.log(JSON.stringify(counts));
    process.exit(0);
});
