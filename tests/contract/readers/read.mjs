// Prints the columns and values of a Parquet file as JSON. JSON has no 64-bit integers, dates, NaN or minus zero, so each
// value is a text: its kind, and all of it. Null stays null.
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";

function bits(number) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

function day(date) {
  const [name, time] = date.toISOString().split("T");
  if (time !== "00:00:00.000Z") throw new Error(`${date.toISOString()} is no day`);
  return name;
}

function exact(value, element) {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return `text:${value}`;
  if (typeof value === "boolean") return `boolean:${value}`;
  if (typeof value === "bigint") return `integer:${value}`;
  if (value instanceof Date) return `date:${day(value)}`;
  // Both are numbers in JavaScript; only the file knows which it is.
  if (typeof value === "number" && element.type === "INT32") return `integer:${value}`;
  if (typeof value === "number" && element.type === "DOUBLE") return `number:${bits(value)}`;
  throw new Error(`${element.name}: no kind is known for ${value}`);
}

const file = await asyncBufferFromFile(process.argv[2]);
const metadata = await parquetMetadataAsync(file);
const rows = await parquetReadObjects({ file, metadata });
// The first element of a schema is the file itself; columns are flat.
const columns = metadata.schema.slice(1).map((element) => [
  element.name,
  rows.map((row) => exact(row[element.name], element)),
]);
process.stdout.write(JSON.stringify(columns));
