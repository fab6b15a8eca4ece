// Parquet files of ours, read back by DuckDB and by hyparquet: every value must be the one that the JSON
// held. The JSON is made here, value by value, so that nobody's reading of it is in between.
//
//   node parquet_reads.mjs SCRAPETOP FOLDER     packages are looked for beside this script's copy
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

const [program, folder] = process.argv.slice(2);
const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
let checks = 0;

function fail(text) {
  console.error(`FAILED: ${text}`);
  process.exit(1);
}

// A value as one text that both readers' values come to. Floats by their bits.
function canonical(value) {
  if (value === null || value === undefined) return 'null';
  if (value instanceof Date) return `time ${BigInt(value.getTime()) * 1000n}`;
  if (typeof value === 'bigint') return `int ${value}`;
  if (typeof value === 'number') return `double ${new BigUint64Array(Float64Array.of(value).buffer)[0]}`;
  if (typeof value === 'object' && 'micros' in value) return `time ${value.micros}`;
  if (typeof value === 'object' && 'days' in value) return `day ${value.days}`;
  return `${typeof value} ${value}`;
}

function normalise(name, text, ...options) {
  const json = join(folder, `${name}.jsonl`), parquet = join(folder, `${name}.parquet`);
  writeFileSync(json, text);
  const run = spawnSync(program, ['normalise', '-o', parquet, ...options, json], { encoding: 'utf8' });
  if (run.status !== 0) fail(`${name}: exit ${run.status}: ${run.stderr}`);
  return parquet;
}

async function readDuckdb(path) {
  const result = await duckdb.runAndReadAll(`SELECT * FROM read_parquet('${path}')`);
  return result.getRows();
}

// hyparquet cuts timestamps to the millisecond; its `parsers` hand out what is stored.
async function readHyparquet(path, columns) {
  const file = await asyncBufferFromFile(path);
  const parsers = { timestampFromMicroseconds: (micros) => ({ micros }), dateFromDays: (days) => ({ days }) };
  const rows = await parquetReadObjects({ file, compressors, parsers, columns });
  return rows.map((row) => columns.map((column) => row[column]));
}

function compare(name, reader, got, want) {
  if (got.length !== want.length) fail(`${name}: ${reader} reads ${got.length} rows, not ${want.length}`);
  want.forEach((row, i) => row.forEach((value, j) => {
    checks++;
    if (canonical(got[i][j]) !== canonical(value)) {
      fail(`${name}: row ${i}, column ${j}: ${reader} reads ${canonical(got[i][j])}, ` +
        `want ${canonical(value)}`);
    }
  }));
}

// `columns`: { name: { json: [texts or undefined], want: [values] } }
async function check(name, columns, ...options) {
  const names = Object.keys(columns), count = columns[names[0]].json.length;
  const lines = [], want = [];
  for (let i = 0; i < count; i++) {
    const members = names.filter((n) => columns[n].json[i] !== undefined)
      .map((n) => `${JSON.stringify(n)}:${columns[n].json[i]}`);
    lines.push(`{${members.join(',')}}`);
    want.push(names.map((n) => columns[n].want[i] ?? null));
  }
  const path = normalise(name, lines.join('\n') + '\n', ...options);
  compare(name, 'DuckDB', await readDuckdb(path), want);
  compare(name, 'hyparquet', await readHyparquet(path, names), want);
  return path;
}

const time = (text, micros = 0) => ({ micros: BigInt(Date.parse(text)) * 1000n + BigInt(micros) });
const DAY_MS = 86400000;
const day = (text) => ({ days: Date.parse(text) / DAY_MS });
const same = (values) => ({ json: values.map((v) => (v === null ? 'null' : JSON.stringify(v))), want: values });

async function types() {
  await check('types', {
    int: { json: ['9223372036854775807', '-9223372036854775808', '0', 'null', undefined, '9007199254740993'],
      want: [9223372036854775807n, -9223372036854775808n, 0n, null, null, 9007199254740993n] },
    double: { json: ['0.1', '-0', '1.7976931348623157e308', '5e-324', undefined, '12.50'],
      want: [0.1, -0, 1.7976931348623157e308, 5e-324, null, 12.5] },
    sum: { json: ['288230376151711744', '-2305843009213693952', '0.5', 'null', undefined, '1'],
      want: [2 ** 58, -(2 ** 61), 0.5, null, null, 1] },
    text: same(['', 'é\u0000ü', '"q"\\\n', '😀'.repeat(500), null, '\u007f\u{10FFFF}']),
    flag: { json: ['true', 'false', 'true', undefined, 'null', 'false'], want: [true, false, true, null, null, false] },
    time: { json: ['"2026-11-21T04:15:00.123456Z"', '"1969-12-31T00:00Z"', '"2026-11-21 05:15:00+01:00"', 'null', undefined,
      '"9999-12-31T23:59:59Z"'],
    want: [time('2026-11-21T04:15:00.123Z', 456), time('1969-12-31'), time('2026-11-21T04:15:00Z'), null, null,
      time('9999-12-31T23:59:59Z')] },
    day: { json: ['"2026-11-21"', '"1969-12-31"', '"0000-01-01"', '"9999-12-31"', 'null', '"2024-02-29"'],
      want: [day('2026-11-21'), day('1969-12-31'), { days: -719528 }, day('9999-12-31'), null, day('2024-02-29')] },
    day_or_time: same(['2026-11-21', '2026-11-21T00:00:00Z', '2026-11-22', null, null, null]),
    no_day: same(['2023-02-29', '2023-02-28', '1900-02-29', null, null, null]),
    mixed: { json: ['1', '"x"', 'true', '1.50', '[1, {"a": 2}]', 'null'], want: ['1', 'x', 'true', '1.50', '[1,{"a":2}]', null] },
    large: { json: ['9223372036854775808', '1', undefined, undefined, undefined, undefined], want: ['9223372036854775808', '1'] },
  });
  await check('coerced', {
    price: { json: ['"12.50"', '3', 'null'], want: [12.5, 3, null] },
    created_at: { json: ['1700000000', '"1700000001"', 'null'], want: [time('2023-11-14T22:13:20Z'), time('2023-11-14T22:13:21Z')] },
    zip: { json: ['"007"', '"12"', 'null'], want: ['007', '12'] },
  }, '--types');
}

let seed = 1n;
const random = (below) => {
  seed = seed * 6364136223846793005n + 1442695040888963407n & (1n << 64n) - 1n;
  return Number(seed >> 33n) % below;
};

// CSV has each number as it was written.
function numbersStay(name, columns) {
  const names = Object.keys(columns), csv = join(folder, `${name}.csv`);
  const run = spawnSync(program, ['normalise', '-o', csv, join(folder, `${name}.jsonl`)], { encoding: 'utf8' });
  if (run.status !== 0) fail(`${name}: exit ${run.status}: ${run.stderr}`);
  readFileSync(csv, 'utf8').trimEnd().split('\n').slice(1).forEach((line, i) => {
    const want = names.map((n) => columns[n].json[i]).join(',');
    checks++;
    if (line !== want) fail(`${name}: CSV row ${i} is ${line}, want ${want}`);
  });
}

// Doubles beside every power of two, in the shortest text and with 17 digits, and texts that no double keeps.
async function numbers() {
  const columns = {}, bits = new BigUint64Array(1), double = new Float64Array(bits.buffer);
  const put = (name, text, value) => {
    columns[name] ??= { json: [], want: [] };
    columns[name].json.push(text); columns[name].want.push(value);
  };
  const add = (value, i) => {
    const large = Math.abs(value) >= 2 ** 53; // without an exponent that would be an integer, of which all digits count
    put('shortest', Object.is(value, -0) ? '-0' : large ? value.toExponential() : `${value}`, value);
    put('fixed', Object.is(value, -0) ? '-0.0' : large ? value.toExponential(15) : value.toPrecision(17), large ? Number(value.toExponential(15)) : value);
    put('exponent', `${Object.is(value, -0) ? '-' : ''}${value.toExponential(16).replace('e+', 'E')}`, value);
    const whole = (1n << 53n) + BigInt(random(1 << 20)), text = i === 77 ? '0.5' : `${whole}`;
    put('beyond', text, text); // one fraction among integers that a double would round
    put('integers', `${whole * (i % 2 ? 1n : -1n)}`, whole * (i % 2 ? 1n : -1n));
    put('digits', i === 99 ? '0.12345678901234567890' : `${i}.5`, i === 99 ? '0.12345678901234567890' : `${i}.5`);
  };
  let i = 0;
  for (let exponent = 0n; exponent < 2047n; exponent++) {
    for (const step of [-3n, -2n, -1n, 0n, 1n, 2n, 3n, BigInt(random(1 << 30)) << 20n]) {
      bits[0] = (exponent << 52n) + step & (1n << 63n) - 1n;
      if (Number.isFinite(double[0])) add(i % 3 ? double[0] : -double[0], i++);
    }
  }
  for (let exponent = 0n; exponent < 52n; exponent++) { // subnormals
    bits[0] = (1n << exponent) + BigInt(random(1 << 30)) % (1n << exponent);
    add(double[0], i++);
  }
  await check('numbers', columns);
  numbersStay('numbers', columns);
}

// Days and moments: before 1970, leap days, offsets, fractions of seconds, and days among moments.
async function times() {
  const columns = {}, two = (n) => String(n).padStart(2, '0');
  const put = (name, text, value) => {
    columns[name] ??= { json: [], want: [] };
    columns[name].json.push(text === null ? undefined : JSON.stringify(text)); columns[name].want.push(value);
  };
  const isLeap = (year) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  for (let i = 0; i < 60000; i++) {
    const leap = i % 7 === 0, year = leap ? 4 * random(2500) : random(10000);
    const month = leap && isLeap(year) ? 2 : 1 + random(12), date = month === 2 && isLeap(year) ? 29 : 1 + random(28);
    const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(date)}`, when = new Date(0);
    when.setUTCFullYear(year, month - 1, date);
    const days = when.getTime() / DAY_MS;
    put('any_day', text, { days });
    put('some_day', i % 3 ? null : text, i % 3 ? null : { days });
    const near = new Date(Date.UTC(1965, 0, 1) + i % 3000 * DAY_MS).toISOString().slice(0, 10);
    put('near_day', near, day(near));
    const next = new Date(Date.UTC(1900, 0, 1) + i * DAY_MS).toISOString().slice(0, 10);
    put('each_day', next, day(next));
    const hour = random(24), minute = random(60), second = random(60), digits = random(9), micros = random(1000000);
    const fraction = `${String(micros).padStart(6, '0')}000`.slice(0, digits);
    const east = random(2), hours = random(24), minutes = random(60), offset = [`${east ? '+' : '-'}${two(hours)}:${two(minutes)}`,
      'Z', `${east ? '+' : '-'}${two(hours)}${two(minutes)}`, `${east ? '+' : '-'}${two(hours)}`, 'z', 'Z'][i % 6];
    const shift = i % 6 === 0 || i % 6 === 2 ? hours * 60 + minutes : i % 6 === 3 ? hours * 60 : 0;
    const moment = (BigInt(days) * 86400n + BigInt(hour * 3600 + minute * 60 + second - (east ? 60 : -60) * shift)) * 1000000n +
      BigInt(fraction.slice(0, 6).padEnd(6, '0'));
    put('moment', `${text}${'T t'[i % 3]}${two(hour)}:${two(minute)}:${two(second)}${fraction && `.${fraction}`}${offset}`,
      { micros: moment });
    const clock = BigInt(days) * 86400n + BigInt(hour * 3600 + minute * 60 + second);
    put('local', `${text} ${two(hour)}:${two(minute)}:${two(second)}`, { micros: clock * 1000000n });
    const either = i === 31234 ? text : `${text}T${two(hour)}:${two(minute)}Z`;
    put('either', either, either);
  }
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(await check('times', columns)));
  const schema = metadata.schema.slice(1).map((c) => `${c.name} ${c.type} ${c.converted_type ?? ''}`);
  const want = ['any_day INT32 DATE', 'some_day INT32 DATE', 'near_day INT32 DATE', 'each_day INT32 DATE',
    'moment INT64 TIMESTAMP_MICROS', 'local INT64 ', 'either BYTE_ARRAY UTF8'];
  if (`${schema}` !== `${want}`) fail(`times: ${schema}`);
  for (const zone of ['UTC', 'America/New_York', 'Pacific/Auckland']) { // a day is the same day wherever it is read
    await duckdb.run(`SET TimeZone='${zone}'`);
    const path = join(folder, 'times.parquet');
    const rows = (await duckdb.runAndReadAll(`SELECT near_day::varchar, count(*) FROM '${path}'
      WHERE near_day BETWEEN '1969-12-30' AND '1970-01-02' GROUP BY 1 ORDER BY 1`)).getRows();
    checks++;
    if (`${rows}` !== ['1969-12-30', '1969-12-31', '1970-01-01', '1970-01-02'].map((d) => `${d},20`).join()) {
      fail(`times: in ${zone} days are ${rows}`);
    }
  }
  await duckdb.run("SET TimeZone='UTC'");
  sameBytes('times');
}

// Times without an offset are on nobody's clock: the same text wherever they are read. With --assume-utc they are moments.
async function zones() {
  const local = { seen: { json: ['"2026-11-21T04:15:00"', '"1969-12-31 23:59:59.5"', 'null'],
    want: [time('2026-11-21T04:15:00Z'), time('1969-12-31T23:59:59.500Z'), null] } };
  const mixed = { seen: same(['2026-11-21T04:15:00', '2026-11-21T04:15:00Z', null]) };
  const assumed = { seen: { ...mixed.seen, want: [time('2026-11-21T04:15:00Z'), time('2026-11-21T04:15:00Z'), null] } };
  const files = { TIMESTAMP: await check('local', local), VARCHAR: await check('local_and_not', mixed),
    'TIMESTAMP WITH TIME ZONE': await check('assumed', assumed, '--assume-utc') };
  await check('assumed_local', local, '--assume-utc');
  for (const zone of ['UTC', 'America/New_York']) {
    await duckdb.run(`SET TimeZone='${zone}'`);
    for (const [type, path] of Object.entries(files)) {
      const [[is, text]] = (await duckdb.runAndReadAll(`SELECT typeof(seen), seen::varchar FROM '${path}' LIMIT 1`)).getRows();
      checks++;
      if (is !== type) fail(`zones: ${path} is ${is}, not ${type}`);
      if (type === 'TIMESTAMP' && text !== '2026-11-21 04:15:00') fail(`zones: in ${zone} DuckDB reads ${text}`);
    }
  }
  await duckdb.run("SET TimeZone='UTC'");
}

async function shapes() {
  // A dictionary of nothing but the empty text.
  await check('empty', { text: same(['', '', '', null, '', '']) });
  await check('one_row', { a: { json: ['1'], want: [1n] } });
  await check('nulls', { id: { json: ['1', '2'], want: [1n, 2n] }, none: { json: ['null', 'null'], want: [null, null] } });
  // Rows whose columns are known but that are all dropped: no row group at all.
  const path = normalise('no_rows', '{"a":1,"b":null}\n', '--where-present', 'b');
  compare('no_rows', 'DuckDB', await readDuckdb(path), []);
  compare('no_rows', 'hyparquet', await readHyparquet(path, ['a']), []);
  // A table without any column still is a file that can be read.
  compare('no_columns', 'DuckDB', await readDuckdb(normalise('no_columns', '{}\n{}\n')), [[null], [null]]);

  const wide = {};
  for (let i = 0; i < 3000; i++) {
    wide[`column ${i}`] = { json: [`${i}`, i % 3 ? undefined : 'null', `-${i}.5`], want: [i, null, -i - 0.5] };
  }
  wide['column 0'].want[0] = 0;
  await check('wide', wide);
}

// Thousands of columns, of which a row has a few: next to each other, far apart, the same as the row before, none. Of
// several chunks, so that columns miss in whole blocks; one column has values again after thousands of rows.
async function sparse() {
  const count = 1100, names = Array.from({ length: 1200 }, (_, i) => `column ${i}`), columns = {};
  const value = (c, i) => [[`${i * 7}`, BigInt(i * 7)], [`${i}.25`, i + 0.25], [`"text ${i % 9}"`, `text ${i % 9}`], [`${i % 2 > 0}`, i % 2 > 0],
    [`"2026-11-${10 + i % 20}"`, day(`2026-11-${10 + i % 20}`)]][c % 5];
  columns.pad = { json: [], want: [] };
  for (const name of names) columns[name] = { json: new Array(count), want: new Array(count).fill(null) };
  const put = (c, i) => { [columns[names[c]].json[i], columns[names[c]].want[i]] = value(c, i); };
  for (let i = 0; i < count; i++) {
    columns.pad.json.push(i % 2 ? `"${'pad '.repeat(4000)}${i}"` : undefined); columns.pad.want.push(i % 2 ? 'pad '.repeat(4000) + i : null);
    for (let n = i % 3 ? random(30) : 0; n > 0; n--) put(10 + random(1190), i);
    for (let n = i % 5; n > 0; n--) put(100 + Math.floor(i / 50) + n, i);
    if (i > 1000) put(1, i);
  }
  columns.pad.json[0] = '""'; columns.pad.want[0] = '';
  names.forEach((_, c) => put(c, 0)); // the order of columns is that of their first values
  const path = await check('sparse', columns);
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
  for (const [c, { meta_data: m }] of metadata.row_groups[0].columns.entries()) {
    const nulls = columns[c ? names[c - 1] : 'pad'].want.filter((v) => v === null).length;
    if (metadata.row_groups.length === 1 && Number(m.statistics.null_count) !== nulls) fail(`sparse: column ${c} has ${m.statistics.null_count} nulls`);
  }
}

// More than a row group has room for, dictionaries and what has too many values for one.
async function groups() {
  const count = 300000, words = ['red', 'green', 'blue', '', null];
  const columns = {
    id: { json: [], want: [] }, // in order: bounds of row groups do not overlap
    word: { json: [], want: [] },
    many: { json: [], want: [] },
    sparse: { json: [], want: [] },
    constant: { json: [], want: [] },
    more: { json: [], want: [] }, // than a dictionary has room for
    few: { json: [], want: [] }, // numbers, others in each row group
    price: { json: [], want: [] },
    at: { json: [], want: [] },
    several: { json: [], want: [] }, // numbers, too many for a dictionary
    ends: { json: [], want: [] }, // to repeat
  };
  const few = [9223372036854775807n, -9223372036854775808n, 0n, -1n, 59n, 7n];
  for (let i = 0; i < count; i++) {
    const word = words[(i * 7) % 13 % words.length];
    columns.id.json.push(`${i}`); columns.id.want.push(BigInt(i));
    columns.word.json.push(JSON.stringify(word)); columns.word.want.push(word);
    columns.many.json.push(`"the value of ${i % 5000}"`); columns.many.want.push(`the value of ${i % 5000}`);
    columns.sparse.json.push(i % 50000 ? undefined : `${i / 7}`); columns.sparse.want.push(i % 50000 ? null : i / 7);
    columns.constant.json.push('"same"'); columns.constant.want.push('same');
    columns.more.json.push(`"${i % 70000}"`); columns.more.want.push(`${i % 70000}`);
    const part = Math.floor(i / 50000), price = [-0.5, 12.5, -0, 3, 0][i % 5], missing = i % 11 === 5;
    columns.few.json.push(`${few[part]}`); columns.few.want.push(few[part]);
    columns.price.json.push(missing ? undefined : Object.is(price, -0) ? '-0' : `${price}`);
    columns.price.want.push(missing ? null : price);
    columns.at.json.push(`"2026-11-${10 + part}T04:15:0${i % 10}.5Z"`);
    columns.at.want.push(time(`2026-11-${10 + part}T04:15:0${i % 10}.5Z`));
    columns.ends.json.push(`${i < 20000 ? i % 9 : i}`); columns.ends.want.push(BigInt(i < 20000 ? i % 9 : i));
    columns.several.json.push(`${i % 5000}`); columns.several.want.push(BigInt(i % 5000));
  }
  columns.sparse.json[0] = '0.5'; columns.sparse.want[0] = 0.5;
  const path = await check('groups', columns);
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
  if (metadata.row_groups.length < 2) fail('groups: one row group only');
  if (Number(metadata.num_rows) !== count) fail(`groups: ${metadata.num_rows} rows in the footer`);
  const dictionaries = metadata.row_groups.map((g) => g.columns.map((c) => c.meta_data.encodings.includes('RLE_DICTIONARY')));
  // The last one's is given up within the first row group: pages of indices, then PLAIN ones. The fourth has so few
  // values that no dictionary pays.
  if (`${dictionaries[0]}` !== 'false,true,true,false,true,false,true,true,true,false,true') fail(`groups: dictionaries at first ${dictionaries[0]}`);
  if (`${dictionaries.at(-1)}` !== 'false,true,true,false,true,false,true,true,true,false,false') fail(`groups: dictionaries at last ${dictionaries.at(-1)}`);
  for (const group of metadata.row_groups) {
    for (const { meta_data: m } of group.columns) {
      const starts = [m.dictionary_page_offset, m.data_page_offset].filter((v) => v !== undefined);
      if ((starts.length === 2) !== m.encodings.includes('RLE_DICTIONARY') || starts.length === 2 && starts[0] >= starts[1]) {
        fail(`groups: ${m.path_in_schema}: pages begin at ${starts}`);
      }
    }
  }
  if (!/^scrapetop version /.test(metadata.created_by)) fail(`created by ${metadata.created_by}`);
  // DuckDB prunes row groups by their bounds: wrong ones would lose these rows.
  for (const [where, want] of [[`id = ${count - 1}`, 1], ['id < 3', 3], ["word = ''", columns.word.want.filter((w) => w === '').length],
    ["many = 'the value of 4999'", count / 5000], ['word IS NULL', columns.word.want.filter((w) => w === null).length],
    ['few = 59', 50000], ['few < 0', 100000], ['price = 12.5', columns.price.want.filter((v) => v === 12.5).length],
    [`"at" >= '2026-11-15'`, 50000]]) {
    const rows = (await duckdb.runAndReadAll(`SELECT count(*) FROM read_parquet('${path}') WHERE ${where}`)).getRows();
    checks++;
    if (Number(rows[0][0]) !== want) fail(`groups: ${where}: ${rows[0][0]} rows, want ${want}`);
  }
  let first = 0n;
  for (const group of metadata.row_groups) {
    const s = group.columns[0].meta_data.statistics;
    if (s.min_value !== first || s.null_count !== 0n) fail(`groups: bounds from ${s.min_value}, want ${first}`);
    first = s.max_value + 1n;
  }
}

// A record's own cells are repeated in the rows of its elements: the next record's must not be.
async function exploded() {
  const lines = [], want = [];
  for (let i = 0; i < 3000; i++) {
    const number = i % 5 ? `${i}` : 'null', items = [];
    for (let j = 0; j < 1 + (i % 4); j++) items.push(`{"n":${j},"word":"w${j}"}`);
    lines.push(`{"id":${number},"flag":${i % 2 === 0},"at":"2026-11-21T04:15:${String(i % 60).padStart(2, '0')}Z",` +
      `"word":"${i % 7}","only":"text ${i}","half":${i}.5,"items":[${items.join(',')}]}`);
    items.forEach((_, j) => want.push([i % 5 ? BigInt(i) : null, i % 2 === 0,
      time(`2026-11-21T04:15:${String(i % 60).padStart(2, '0')}Z`), `${i % 7}`, `text ${i}`, i + 0.5, BigInt(j), `w${j}`]));
  }
  const path = normalise('exploded', lines.join('\n') + '\n', '--explode', '/items');
  compare('exploded', 'DuckDB', await readDuckdb(path), want);
  compare('exploded', 'hyparquet', await readHyparquet(path, ['id', 'flag', 'at', 'word', 'only', 'half', 'items.n', 'items.word']), want);
}

// Chunks of many rows and of few, whose values share pages across chunks: each after the other, and values
// that not every row has.
async function pages() {
  const columns = Object.fromEntries(['id', 'flag', 'word', 'level', 'at', 'half', 'long'].map((n) => [n, { json: [], want: [] }]));
  const put = (name, json, value) => { columns[name].json.push(json); columns[name].want.push(json === undefined ? null : value); };
  for (let i = 0; i < 12000; i++) {
    const large = Math.floor(i / 400) % 3 === 1; // a chunk has a hundred such rows, or some thousand of the others
    const long = large && i % 2 ? 'long'.repeat(4000) + i : 'x'.repeat(300);
    put('id', `${i}`, BigInt(i));
    put('flag', i % 3 && i ? undefined : `${i % 2 === 0}`, i % 2 === 0);
    put('word', i % 7 === 6 ? 'null' : `"w${i % 5}"`, i % 7 === 6 ? null : `w${i % 5}`);
    put('level', i % 1000 < 500 ? `${i % 9}` : undefined, BigInt(i % 9));
    put('at', `"2026-11-21T04:15:00.${String(i % 1000).padStart(3, '0')}Z"`, time(`2026-11-21T04:15:00.${String(i % 1000).padStart(3, '0')}Z`));
    put('half', i % 4 ? undefined : `${i}.5`, i + 0.5);
    put('long', `"${long}"`, long);
  }
  await check('pages', columns);
}

// Whole numbers and times that no dictionary takes, as differences and PLAIN: what those do not pay for, and what
// could be too wide for a reader's arithmetic.
async function differences() {
  const count = 40000, columns = {}, mask = (1n << 63n) - 1n;
  let random = 1n, walk = 0n, back = 0n;
  const put = (name, value, json = `${value}`) => {
    columns[name] ??= { json: [], want: [] };
    columns[name].json.push(value === null ? undefined : json); columns[name].want.push(value);
  };
  const at = (micros) => {
    const date = new Date(Number(micros / 1000n));
    return [{ micros }, `"${date.toISOString().slice(0, -1)}${String(micros % 1000n).padStart(3, '0')}Z"`];
  };
  for (let i = 0; i < count; i++) {
    random = random * 6364136223846793005n + 1442695040888963407n & (1n << 64n) - 1n;
    const far = random >> 1n, near = random >> 40n, n = BigInt(i);
    walk += near - (1n << 23n);
    back -= far >> BigInt(20 + i % 40);
    put('up', 9007199254740993n + 2n * n);
    put('near', near);
    put('walk', walk);
    put('back', back);
    put('gaps', i % 3 ? null : near * 3n);
    put('random', far - (mask >> 1n));
    put('ends', i % 1000 === 999 ? [mask, -mask - 1n, mask - n, n - mask][i / 1000 % 4 | 0] : n);
    put('far', i % 5000 === 77 ? [1n, -1n][i / 5000 & 1] * (mask >> 1n) : n * 7n);
    put('repeated', i % 40 && columns.repeated ? columns.repeated.want.at(-1) : far >> 3n);
    put('at', ...at(1700000000000000n + n * 1000003n));
    put('at_random', ...at(near * 1000003n));
  }
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(await check('differences', columns)));
  for (const { meta_data: m } of metadata.row_groups[0].columns) {
    const want = !['random', 'ends', 'repeated'].includes(`${m.path_in_schema}`);
    if (m.encodings.includes('DELTA_BINARY_PACKED') !== want) fail(`differences: ${m.path_in_schema} has ${m.encodings}`);
  }
  sameBytes('differences');
}

// Dictionaries that are given up on the way, each for another reason, and those that must not be. Columns end for some
// ten thousand rows, and begin late.
async function growing() {
  const count = 90000, columns = {};
  const put = (name, json, value) => {
    columns[name] ??= { json: [], want: [] };
    columns[name].json.push(json); columns[name].want.push(json === undefined ? null : value);
  };
  const text = (name, value) => put(name, value === undefined ? undefined : JSON.stringify(value), value);
  for (let i = 0; i < count; i++) {
    const far = (i * 48271) % 2147483647;
    text('then_unique', i < 40000 ? `name ${far % 700} of many` : `the name of number ${i}`);
    text('then_long', i === 50000 ? 'x'.repeat(4097) : `kind ${far % 50}`);
    text('drawn', `one of some thousand names: ${far % 20000}`);
    text('shorts', `${i < 20000 ? far % 3000 : far % 9000}`);
    text('gap', i < 10000 || i > 70000 ? `seen ${i % 90}` : undefined);
    text('late', i < 60000 ? null : `late ${i % 9}`);
    text('escaped', i % 3 ? 'a "quoted" one\n' : `\u0001${i % 7}`);
    put('number', i < 30000 ? `${far % 100}` : `${far}`, BigInt(i < 30000 ? far % 100 : far));
    put('late_number', i < 60000 ? 'null' : `${far % 12}.5`, i < 60000 ? null : far % 12 + 0.5);
    put('zero', i % 5000 ? '0.0' : i % 2 ? '0.5' : '-0.0', i % 5000 ? 0 : i % 2 ? 0.5 : -0);
    put('json', `[${i % 40}, 1]`, `[${i % 40},1]`);
    put('any', i % 2 ? `${i % 30}` : `"${i % 30}"`, `${i % 30}`);
  }
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(await check('growing', columns)));
  for (const { meta_data: m } of metadata.row_groups[0].columns) {
    if (!m.encodings.includes('RLE_DICTIONARY')) fail(`growing: ${m.path_in_schema} has no dictionary`);
  }
  sameBytes('growing');
}

// More columns of strings that do not repeat than there is room for.
async function crowded() {
  const columns = {};
  for (let c = 0; c < 40; c++) {
    const unique = c % 4 === 1, words = [];
    for (let i = 0; i < 6000; i++) words.push(`${'word'.repeat(10)} ${unique ? i : i * 7 % 5}`);
    columns[`text ${c}`] = same(words);
  }
  const path = await check('crowded', columns, '--memory', '32M');
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
  metadata.row_groups[0].columns.forEach((c, i) => {
    if (i % 4 !== 1 && !c.meta_data.encodings.includes('RLE_DICTIONARY')) fail(`crowded: column ${i} has no dictionary`);
  });
  sameBytes('crowded', '--memory', '32M');
}

// The same bytes whatever workers there are: pages follow chunks, and chunks the input.
function sameBytes(name, ...options) {
  const json = join(folder, `${name}.jsonl`), other = join(folder, 'other.parquet');
  for (const workers of [1, 3, 20]) {
    const env = { ...process.env, UV_THREADPOOL_SIZE: `${workers + 2}` };
    const run = spawnSync(program, ['normalise', '-o', other, ...options, json], { env });
    checks++;
    if (run.status !== 0 || !readFileSync(other).equals(readFileSync(join(folder, `${name}.parquet`)))) {
      fail(`${name}: ${workers} workers write another file`);
    }
  }
}

// A table by the statement that --ddl prints takes what Parquet has of the same records.
async function statement() {
  const rows = [{ id: 1, 'a"\\': 'x', f: 0.5, b: true, at: '2026-01-31T10:00:00Z', local: '2026-01-31T10:00:00', day: '2026-01-31' }];
  const path = normalise('ddl', rows.map((row) => JSON.stringify(row)).join('\n'));
  const run = spawnSync(program, ['normalise', '--ddl', 'duckdb', '--table', 'of "it"', '--key', 'id', join(folder, 'ddl.jsonl')]);
  if (run.status !== 0) fail(`ddl: ${run.stderr}`);
  await duckdb.run(run.stdout.toString());
  await duckdb.run(`INSERT INTO "of ""it""" SELECT * FROM '${path}'`);
  const both = await duckdb.runAndReadAll(`SELECT * FROM "of ""it""" EXCEPT SELECT * FROM '${path}'`);
  if (both.getRows().length !== 0) fail('ddl: another row than in Parquet');
  const types = await duckdb.runAndReadAll(`SELECT a.column_type = b.column_type FROM (DESCRIBE "of ""it""") a
    JOIN (DESCRIBE SELECT * FROM '${path}') b USING (column_name)`);
  if (types.getRows().length !== 7 || types.getRows().some((row) => row[0] !== true)) fail('ddl: other types than in Parquet');
  checks += 2;
}

await statement();
await types();
await numbers();
await times();
await zones();
await shapes();
await sparse();
await groups();
await exploded();
await pages();
await differences();
await growing();
await crowded();
for (const name of ['groups', 'pages', 'wide', 'sparse']) sameBytes(name);
console.log(`${checks} values and counts read back equal`);
