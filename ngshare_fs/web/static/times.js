// Each time in a course's zone has the same on this device's clock, where that shows another one: beside it in a text;
// in a table only for whoever points at it, as there may be thousands, and the end of the page says so once.
const words = document.body.dataset;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const shown = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
let isInTable = false;
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  // Two zones never show the same clock at different offsets: those differ by a day at most.
  if (Number.isNaN(moment.getTime()) || time.textContent.includes(clock.format(moment))) continue;
  const here = words.here.replace("{}", shown.format(moment));
  if (time.closest("table, .unseen")) {
    time.title = here;
    isInTable ||= time.closest("table") !== null;
  } else {
    const beside = document.createElement("span");
    beside.className = "here";
    beside.textContent = ` (${here})`;
    time.after(beside);
  }
}
const end = document.querySelector("#times p");
if (isInTable && end) end.append(` ${words.tables.replace("{}", shown.resolvedOptions().timeZone)}`);
