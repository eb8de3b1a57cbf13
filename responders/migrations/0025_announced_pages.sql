-- Whether live pages were told of a page is asked for each page.
create index change_page on change (ref) where kind = 'page';
