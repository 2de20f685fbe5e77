// datetime.strftime, which templates ask for the date of.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** datetime.strftime in the C locale. Throws Error for a directive that it has not. */
export function strftime(date: Date, format: string): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const hour = date.getHours() % 12 || 12;
  const first = new Date(date.getFullYear(), 0, 1);
  const day = Math.round(
    (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 1)) / 864e5,
  );
  const week = (start: number) => Math.floor((day + 7 - ((date.getDay() + 7 - start) % 7)) / 7);
  const whole = (text: string): string =>
    text.replace(/%(-?)(.|$)/gs, (_, bare: string, directive: string) => {
      const value = one(directive);
      return bare ? value.replace(/^[0 ]+(?=\d)/, '') : value;
    });
  const one = (directive: string): string => {
    switch (directive) {
      case 'a':
        return DAYS[date.getDay()].slice(0, 3);
      case 'A':
        return DAYS[date.getDay()];
      case 'b':
      case 'h':
        return MONTHS[date.getMonth()].slice(0, 3);
      case 'B':
        return MONTHS[date.getMonth()];
      case 'c':
        return whole('%a %b ') + String(date.getDate()).padStart(2, ' ') + whole(' %H:%M:%S %Y');
      case 'd':
        return two(date.getDate());
      case 'D':
      case 'x':
        return whole('%m/%d/%y');
      case 'e':
        return String(date.getDate()).padStart(2, ' ');
      case 'f':
        return String(date.getMilliseconds() * 1000).padStart(6, '0');
      case 'F':
        return whole('%Y-%m-%d');
      case 'H':
        return two(date.getHours());
      case 'I':
        return two(hour);
      case 'j':
        return String(day + 1).padStart(3, '0');
      case 'm':
        return two(date.getMonth() + 1);
      case 'M':
        return two(date.getMinutes());
      case 'n':
        return '\n';
      case 'p':
        return date.getHours() < 12 ? 'AM' : 'PM';
      case 'S':
        return two(date.getSeconds());
      case 'T':
      case 'X':
        return whole('%H:%M:%S');
      case 'u':
        return String(date.getDay() || 7);
      case 'U':
        return two(week(0));
      case 'w':
        return String(date.getDay());
      case 'W':
        return two(week(1));
      case 'y':
        return two(date.getFullYear() % 100);
      case 'Y':
        return String(first.getFullYear());
      case 'z':
      case 'Z':
        return ''; // datetime.now() has no zone
      case '%':
        return '%';
      default:
        throw new Error(`strftime_now has no directive %${directive}`);
    }
  };
  return whole(format);
}
