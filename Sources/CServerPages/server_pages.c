#include "server_pages.h"

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed: C23, and clang's extension before it

static const unsigned char index_html[] = {
#embed "index.html"
};
static const unsigned char page_css[] = {
#embed "page.css"
};
static const unsigned char page_js[] = {
#embed "page.js"
};
static const unsigned char docs_html[] = {
#embed "docs.html"
};
static const unsigned char openapi_json[] = {
#embed "openapi.json"
};

static const struct {
    const char *name;
    const unsigned char *bytes;
    size_t size;
} pages[] = {{"index.html", index_html, sizeof index_html},
             {"page.css", page_css, sizeof page_css},
             {"page.js", page_js, sizeof page_js},
             {"docs.html", docs_html, sizeof docs_html},
             {"openapi.json", openapi_json, sizeof openapi_json}};

size_t apus_page_count(void) { return sizeof pages / sizeof pages[0]; }
const char *apus_page_name(size_t index) { return pages[index].name; }
const void *apus_page_bytes(size_t index) { return pages[index].bytes; }
size_t apus_page_size(size_t index) { return pages[index].size; }
