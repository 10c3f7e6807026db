"""The page at / in a real browser: choosing an image draws boxes, and the slider sends no requests.

Usage: page.py URL IMAGE FOLDER   (screenshots go to FOLDER)"""
import sys

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

url, picture, folder = sys.argv[1:]
options = webdriver.ChromeOptions()
for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900",
                 "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]:
    options.add_argument(argument)
options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
browser = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
wait = WebDriverWait(browser, 600)
browser.set_script_timeout(600)
find = lambda name: browser.find_element(By.ID, name)
rows = lambda: [row.text for row in browser.find_elements(By.CSS_SELECTOR, "#found tbody tr")]
requests = lambda: browser.execute_script(
    "return performance.getEntriesByType('resource').filter(e => e.name.includes('/predict')).length")
try:
    browser.get(url)
    wait.until(lambda _: "demo: ready on" in find("state").text)
    assert "verified: " in find("state").text, find("state").text

    # With the keyboard alone: the first tab stops are the file, the camera and the slider.
    stops = []
    for _ in range(4):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        stops.append(browser.switch_to.active_element.get_attribute("id"))
    assert stops[:3] == ["file", "camera", "threshold"], stops

    find("file").send_keys(picture)
    wait.until(lambda _: len(rows()) > 0)
    assert requests() == 1
    found = rows()
    assert found[0].startswith("sheep") and find("count").text == f"{len(found)} objects", found
    assert "inference" in find("facts").text and "verified" in find("facts").text, find("facts").text
    # The canvas has boxes: it differs from the image alone.
    blank = "const c = document.createElement('canvas'); c.width = picture.width; c.height = picture.height;" \
            "c.getContext('2d').drawImage(picture, 0, 0); return c.toDataURL() === document.getElementById('canvas').toDataURL()"
    assert browser.execute_script(blank) is False
    browser.save_screenshot(f"{folder}/page.png")

    slider = find("threshold")
    for _ in range(49):
        slider.send_keys(Keys.ARROW_RIGHT)
    assert find("shown").text == "0.99", find("shown").text
    fewer = rows()
    assert 0 < len(fewer) < len(found), fewer
    assert requests() == 1, "the slider sent a request"

    # The camera, simulated by the browser.
    find("camera").click()
    wait.until(lambda _: find("shoot").is_displayed())
    find("shoot").click()
    wait.until(lambda _: requests() == 2 and find("facts").is_displayed())

    # Drop and paste, with the browser's events.
    for number, (kind, event, field) in enumerate([("drop", "DragEvent", "dataTransfer"), ("paste", "ClipboardEvent", "clipboardData")]):
        browser.execute_async_script(f"""
            const done = arguments[arguments.length - 1];
            document.getElementById("canvas").toBlob((blob) => {{
              const carrier = new DataTransfer();
              carrier.items.add(new File([blob], "a.png", {{ type: "image/png" }}));
              document.body.dispatchEvent(new {event}("{kind}", {{ {field}: carrier, bubbles: true, cancelable: true }}));
              done();
            }});""")
        wait.until(lambda _: requests() == 3 + number and find("facts").is_displayed())

    # A file that is not an image is reported.
    find("file").send_keys(__file__)
    wait.until(lambda _: find("error").text == "The browser cannot show this file as an image.")

    # On a phone, nothing overflows.
    browser.set_window_size(500, 900)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True})
    browser.get(url)
    wait.until(lambda _: "demo: ready on" in find("state").text)
    find("file").send_keys(picture)
    wait.until(lambda _: len(rows()) > 0)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= 360, width
    small = [each.text or each.get_attribute("id") for each in browser.find_elements(By.CSS_SELECTOR, "button, .button")
             if each.is_displayed() and each.size["height"] < 44]
    assert not small, f"too small for a finger: {small}"
    browser.save_screenshot(f"{folder}/page-phone.png")

    browser.get(url + "docs")
    assert "Open Inference Protocol" in browser.page_source
    # No Content Security Policy violations or errors.
    complaints = [entry["message"] for entry in browser.get_log("browser")]
    assert not complaints, complaints
finally:
    browser.quit()
print("page: choosing, dropping and pasting an image, the slider, the camera, a phone and the keyboard work, without browser errors")
