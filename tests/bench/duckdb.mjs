// A table by DuckDB, with the schema given by hand, as that is its fastest way:
//
//   node duckdb.mjs auctions|trains|posts|wide|sparse csv|parquet INPUT OUTPUT     packages are looked for beside it
import { DuckDBInstance } from '@duckdb/node-api';

const [shape, format, input, output] = process.argv.slice(2);
const lot = `STRUCT(id BIGINT, auction_id BIGINT, lot VARCHAR, title VARCHAR, description VARCHAR,
  current_bid STRUCT(amount DOUBLE, currency VARCHAR), minimum_bid STRUCT(amount DOUBLE, currency VARCHAR),
  bid_count BIGINT, start_time TIMESTAMP, end_time TIMESTAMP, lat VARCHAR, lng VARCHAR, taxable BOOLEAN,
  buyer_premium DOUBLE, images VARCHAR[],
  category STRUCT(id BIGINT, "name" VARCHAR, path STRUCT(root VARCHAR)),
  winner STRUCT(id BIGINT, alias VARCHAR), pickup STRUCT("window" TIMESTAMP, fee DOUBLE))[]`;
const auction = `STRUCT(id BIGINT, title VARCHAR, city VARCHAR, starts TIMESTAMP,
  address STRUCT(lat VARCHAR, lng VARCHAR, postal VARCHAR))`;
const stop = `STRUCT(station VARCHAR, code VARCHAR, estimated TIMESTAMP, scheduled TIMESTAMP, eta VARCHAR,
  arrival STRUCT(estimated TIMESTAMP, scheduled TIMESTAMP),
  departure STRUCT(estimated TIMESTAMP, scheduled TIMESTAMP), diff VARCHAR, "diffMin" BIGINT)[]`;
const train = `STRUCT(lat DOUBLE, lng DOUBLE, speed BIGINT, direction DOUBLE, poll TIMESTAMP, departed BOOLEAN,
  arrived BOOLEAN, "from" VARCHAR, "to" VARCHAR, instance DATE, times ${stop})`;
const large = 'maximum_object_size=67108864';

const kinds = ['BIGINT', 'DOUBLE', 'VARCHAR', 'VARCHAR'];
const many = () => Array.from({ length: 10000 }, (_, c) => `column_${String(c).padStart(5, '0')}: '${kinds[c % 4]}'`);
const wide = ['wide', 'sparse'].includes(shape) && `SELECT * FROM read_json('${input}', ${large}, columns={${many()}})`;

const tables = {
  wide,
  sparse: wide,
  auctions: `SELECT url, status, a.id AS "auction.id", a.title AS "auction.title", a.city, a.starts,
      a.address.lat, a.address.lng, a.address.postal, it.id, it.auction_id, it.lot, it.title, it.description,
      it.current_bid.amount, it.current_bid.currency, it.minimum_bid.amount, it.minimum_bid.currency,
      it.bid_count, it.start_time, it.end_time, it.lat, it.lng, it.taxable, it.buyer_premium,
      to_json(it.images) AS images, it.category.id, it.category.name, it.category.path.root, it.winner.id,
      it.winner.alias, it.pickup.window, it.pickup.fee
    FROM (SELECT url, status, body.auction AS a, unnest(body.items) AS it FROM read_json('${input}', ${large},
      columns={url: 'VARCHAR', status: 'BIGINT', body: 'STRUCT(auction ${auction}, items ${lot})'}))`,
  trains: `SELECT k AS _key, v.* EXCLUDE (times), t.* EXCLUDE (arrival, departure), t.arrival.estimated,
      t.arrival.scheduled, t.departure.estimated, t.departure.scheduled
    FROM (SELECT k, v, unnest(v.times) AS t FROM (SELECT e.key AS k, e.value AS v FROM
      (SELECT unnest(map_entries(json)) AS e FROM read_json('${input}', records=false, ${large},
        columns={json: 'MAP(VARCHAR, ${train})'}))))`,
  posts: `SELECT * FROM read_json('${input}', columns={"userId": 'BIGINT', id: 'BIGINT', title: 'VARCHAR',
    body: 'VARCHAR', score: 'DOUBLE'})`,
};
const formats = { csv: 'FORMAT csv, HEADER', parquet: 'FORMAT parquet, COMPRESSION zstd' };

const duckdb = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect();
await duckdb.run(`COPY (${tables[shape]}) TO '${output}' (${formats[format]})`);
