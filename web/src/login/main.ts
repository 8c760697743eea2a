import { createApp } from 'vue'
import '../ui/base.css'
import '../ui/forms.css'
import { applySettings } from '../ui/settings'
import App from './App.vue'

applySettings((words) => words.login.title)
createApp(App).mount('#app')
