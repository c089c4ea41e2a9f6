// Runs before the page is drawn, so that a chosen theme does not flash.
(function () {
  var theme = null;
  try {
    theme = localStorage.getItem("squall.theme");
  } catch (error) {
    // Storage may be forbidden; then the system decides.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
