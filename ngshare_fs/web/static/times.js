// Beside each time in a course's zone, the same on this device's clock, where that shows another one.
const words = document.body.dataset.here;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const shown = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  // Two zones never show the same clock at different offsets: those differ by a day at most.
  if (Number.isNaN(moment.getTime()) || time.textContent.includes(clock.format(moment))) continue;
  const here = document.createElement("span");
  here.className = "here";
  here.textContent = ` (${words.replace("{}", shown.format(moment))})`;
  time.after(here);
}
