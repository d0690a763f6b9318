// What the theme leaves unsaid to a screen reader; and what scrolls is reached by keyboard.
addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("p.caption[role=heading]").forEach(one => { one.ariaLevel = 2; });
  document.querySelectorAll("aside.sidebar-drawer").forEach(one => { one.ariaLabel = "All pages"; });
  document.querySelectorAll("aside.toc-drawer").forEach(one => { one.ariaLabel = "On this page"; });
  document.querySelectorAll("#search-results").forEach(one => {
    one.insertAdjacentHTML("beforebegin", "<h1>Search</h1>");
  });
  const sized = new ResizeObserver(seen => seen.forEach(({ target }) => {
    target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
  }));
  document.querySelectorAll("pre, .table-wrapper").forEach(one => sized.observe(one));
});
